import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { Db } from '../../postgres/schema.js'

/** Seconds that a row counts, so that the waits of a replica that was killed end; and when it is written again. */
const COUNTS_S = 30
const AGAIN_MS = 10_000
/** An agent that waits again so soon after its last wait has waited all the time. */
const LINGER_MS = 1000
/** What begins within this time is written together. */
const GATHER_MS = 50
const TICK_MS = 500

type Waiter = Pick<Agent, 'workspace' | 'agent_id'>

interface Kept extends Waiter {
  /** Its calls that wait on this replica. */
  calls: number
  /** By performance.now(); undefined: not written. */
  written_at: number | undefined
  ended_at: number
}

export interface Waits {
  /** Notes that a call of an agent begins to wait. @returns what notes its end */
  begin: (agent: Waiter) => () => void
  close: () => Promise<void>
}

/**
 * Writes which agents wait on this replica, so that all replicas can tell. Statements are for all agents together, and
 * only for what has changed: none for a wait that follows another.
 */
export function trackWaits(db: Db, replica: string, onFault: (error: unknown) => void): Waits {
  const all = new Map<string, Kept>()
  let writing: Promise<void> = Promise.resolve()
  let soon: NodeJS.Timeout | undefined

  async function write(): Promise<void> {
    const now = performance.now()
    const entries = [...all].sort(([a], [b]) => (a < b ? -1 : 1))
    const begun = entries.filter(([, { calls, written_at = -Infinity }]) => calls > 0 && now - written_at > AGAIN_MS)
    const ended = entries.filter(([, { calls, ended_at }]) => calls === 0 && now - ended_at > LINGER_MS)
    for (const [key] of ended) all.delete(key)
    const stale = ended.filter(([, { written_at }]) => written_at !== undefined)
    for (const [, kept] of begun) kept.written_at = now
    try {
      if (begun.length > 0)
        await sql`
          insert into agent_waits (workspace, agent_id, replica, until)
          select workspace, agent_id, ${replica}, clock_timestamp() + make_interval(secs => ${COUNTS_S})
          from ${rowsOf(begun)}
          on conflict (workspace, agent_id, replica) do update set until = excluded.until`.execute(db)
      if (stale.length > 0)
        await sql`
          delete from agent_waits w using ${rowsOf(stale)}
          where w.workspace = waiter.workspace and w.agent_id = waiter.agent_id and w.replica = ${replica}`.execute(db)
    } catch (error) {
      // The database is away. What was not written is tried again; what was not deleted ends by itself.
      for (const [, kept] of begun) kept.written_at = undefined
      onFault(error)
    }
  }

  const run = () => {
    soon = void clearTimeout(soon)
    writing = writing.then(write)
  }
  const timer = setInterval(run, TICK_MS).unref()

  return {
    begin({ workspace, agent_id }) {
      const key = `${workspace}\n${agent_id}`
      const kept = all.get(key) ?? { workspace, agent_id, calls: 0, written_at: undefined, ended_at: 0 }
      all.set(key, kept)
      kept.calls++
      if (kept.written_at === undefined) soon ??= setTimeout(run, GATHER_MS).unref()
      return () => {
        kept.calls--
        kept.ended_at = performance.now()
      }
    },
    async close() {
      clearInterval(timer)
      clearTimeout(soon)
      await writing
      await sql`delete from agent_waits where replica = ${replica}`.execute(db).catch(() => {})
    }
  }
}

function rowsOf(entries: ReadonlyArray<[string, Kept]>) {
  const rows = entries.map(([, { workspace, agent_id }]) => ({ workspace, agent_id }))
  return sql`json_to_recordset(${JSON.stringify(rows)}) as waiter (workspace text, agent_id text)`
}
