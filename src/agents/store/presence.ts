import type { Static } from '@sinclair/typebox'
import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { Session } from '../../kernel/answer-shapes.js'
import { throttledWriter } from '../../postgres/throttled-writer.js'
import type { Db } from '../../postgres/schema.js'

export interface Presence {
  /** `session_id` where the call was about a session; one that does not exist leaves no trace. */
  seen: (agent: Agent, session_id?: string) => void
  close: () => Promise<void>
}

/** Notes which agents have called, and in which sessions. */
export function trackPresence(db: Db): Presence {
  const agents = throttledWriter<Agent>(async seen => {
    await sql`
      insert into agents (workspace, agent_id, agent_type, last_seen_at)
      select workspace, agent_id, agent_type, clock_timestamp()
      from json_to_recordset(${JSON.stringify(seen)}) as seen (workspace text, agent_id text, agent_type text)
      on conflict (workspace, agent_id) do update
        set agent_type = excluded.agent_type, last_seen_at = excluded.last_seen_at`.execute(db)
  })
  const inSessions = throttledWriter<Agent & { session_id: string }>(async seen => {
    await sql`
      insert into session_presence (workspace, session_id, agent_id, agent_type, last_seen_at)
      select workspace, session_id, agent_id, agent_type, clock_timestamp()
      from json_to_recordset(${JSON.stringify(seen)})
        as seen (workspace text, session_id text, agent_id text, agent_type text)
      where exists (select from sessions s where s.workspace = seen.workspace and s.id = seen.session_id)
      on conflict (workspace, session_id, agent_id) do update
        set agent_type = excluded.agent_type, last_seen_at = excluded.last_seen_at`.execute(db)
  })
  return {
    seen(agent, session_id) {
      agents.note(`${agent.workspace}\n${agent.agent_id}`, agent)
      if (session_id !== undefined)
        inSessions.note(`${agent.workspace}\n${session_id}\n${agent.agent_id}`, { ...agent, session_id })
    },
    async close() {
      await Promise.all([agents.close(), inSessions.close()])
    }
  }
}

/** Whoever has called in a session within so many minutes counts as present. */
export const PRESENT_MINUTES = 5
/** Most agents that an answer names. */
const PRESENT_MAX = 100

type Present = Static<typeof Session>['present'][number]

/** Who has lately called in a session, the last one first: this call counts, and is first. */
export async function present(db: Db, caller: Agent, session_id: string): Promise<Present[]> {
  const { rows } = await sql<Present>`
    (select ${caller.agent_id}::text as agent_id, ${caller.agent_type}::text as agent_type,
       clock_timestamp()::timestamptz(3) as last_seen_at)
    union all
    (select agent_id, agent_type, last_seen_at from session_presence
     where workspace = ${caller.workspace} and session_id = ${session_id} and agent_id <> ${caller.agent_id}
       and last_seen_at > clock_timestamp() - make_interval(mins => ${PRESENT_MINUTES})
     order by last_seen_at desc, agent_id limit ${PRESENT_MAX - 1})`.execute(db)
  return rows
}
