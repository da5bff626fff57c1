import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { Db } from '../../postgres/schema.js'

/** Moves an agent's cursor in a session forward to a seq; one that is there already, or beyond, stays where it is. */
export async function moveTo(tx: Db, agent: Agent, session_id: string, seq: number): Promise<void> {
  await tx
    .insertInto('read_cursors')
    .values({ workspace: agent.workspace, agent_id: agent.agent_id, session_id, last_read_seq: seq })
    .onConflict(conflict =>
      conflict
        .columns(['workspace', 'agent_id', 'session_id'])
        .doUpdateSet({ last_read_seq: seq, updated_at: sql<string>`clock_timestamp()` })
        .where('read_cursors.last_read_seq', '<', seq)
    )
    .execute()
}
