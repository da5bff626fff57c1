import { sql } from 'kysely'
import type { Agent } from '../core/agent.js'
import type { Db } from './schema.js'

/** An agent's last call is written at most this often by one replica (contract §8). */
const AT_MOST_EVERY_MS = 30_000
const FLUSH_MS = 1000

export interface Presence {
  seen: (agent: Agent) => void
  close: () => Promise<void>
}

/** Notes which agents have called, off the requests' path and in one statement for all of them. */
export function trackPresence (db: Db): Presence {
  const written = new Map<string, number>()
  let due = new Map<string, Agent>()
  let flushing: Promise<void> = Promise.resolve()

  async function flush (): Promise<void> {
    const now = performance.now()
    for (const [id, at] of written) if (now - at > AT_MOST_EVERY_MS) written.delete(id)
    if (due.size === 0) return
    // In one order everywhere, so that two replicas' statements cannot lock the same rows crosswise.
    const agents = [...due].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, agent]) => agent)
    due = new Map()
    for (const agent of agents) written.set(idOf(agent), now)
    try {
      await sql`
        insert into agents (workspace, agent_id, agent_type, last_seen_at)
        select workspace, agent_id, agent_type, clock_timestamp()
        from unnest(${agents.map(a => a.workspace)}::text[], ${agents.map(a => a.agent_id)}::text[], ${agents.map(a => a.agent_type)}::text[]) as seen (workspace, agent_id, agent_type)
        on conflict (workspace, agent_id) do update set agent_type = excluded.agent_type, last_seen_at = excluded.last_seen_at`.execute(db)
    } catch {
      // The database is away: the next call of each agent is noted instead.
      for (const agent of agents) written.delete(idOf(agent))
    }
  }

  const timer = setInterval(() => { flushing = flushing.then(flush) }, FLUSH_MS)
  timer.unref()

  return {
    seen (agent) {
      const id = idOf(agent)
      if (!written.has(id)) due.set(id, agent)
    },
    async close () {
      clearInterval(timer)
      await flushing.then(flush)
    }
  }
}

function idOf (agent: Agent): string {
  return `${agent.workspace}\n${agent.agent_id}`
}
