import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { memoryTopic, sessionTopic, type Topic } from '../../core/events.js'
import * as audit from '../audit.js'
import { removeMessages } from '../message-removal.js'
import type { Db } from '../schema.js'
import { revokeAgent } from '../tokens.js'
import { BATCH, byService, inTurn } from './turns.js'

/**
 * Erasing an agent: what it has written and kept goes, and where its name stood in what belongs to others (who opened a session, who
 * changed something) a pseudonym stands. Its audit rows stay as they are. Tokens, memory and the like go with the call; messages
 * and names follow in small batches, since there may be a million.
 */

export interface Begun { pseudonym: string, revoked_tokens: number, deleted_memory: number }

export async function beginErasure (tx: Db, workspace: string, agent_id: string, request_id: string): Promise<Begun> {
  // Of the agent's tokens none is issued meanwhile: it locks the agent.
  const revoked_tokens = await revokeAgent(tx, workspace, agent_id)
  // One that is under way goes on under its name.
  const { rows: [begun] } = await sql<{ pseudonym: string }>`
    insert into erased_agents as e (workspace, agent_id, pseudonym, up_to_message_id, request_id)
    select ${workspace}, ${agent_id}, ${`erased-${randomBytes(8).toString('hex')}`}, coalesce((select max(id) from messages where workspace = ${workspace}), 0), ${request_id}
    on conflict (workspace, agent_id) do update set up_to_message_id = excluded.up_to_message_id, erased_at = clock_timestamp(), xact = pg_current_xact_id()
    returning pseudonym`.execute(tx)
  const { pseudonym } = begun as { pseudonym: string }
  const own = sql`workspace = ${workspace} and agent_id = ${agent_id}`
  // What is revoked is remembered for as long as it could be presented.
  await sql`update tokens set agent_id = ${pseudonym} where ${own}`.execute(tx)
  // Keys of its own end; one for several agents, by the beginning of their names, does not.
  await sql`update api_keys set revoked_at = coalesce(revoked_at, clock_timestamp()), agent_id = ${pseudonym} where ${own}`.execute(tx)
  await sql`update api_keys set created_by = ${pseudonym} where workspace = ${workspace} and created_by = ${agent_id}`.execute(tx)
  await sql`update mcp_sessions set agent_id = null, agent_type = null, permissions = null, token_jti = null, token_expires_at = null, client_name = null where ${own}`.execute(tx)
  const memory = await sql`delete from agent_memory where ${own}`.execute(tx)
  for (const table of ['read_cursors', 'session_presence', 'idempotency_keys', 'agents']) await sql`delete from ${sql.table(table)} where ${own}`.execute(tx)
  return { pseudonym, revoked_tokens, deleted_memory: Number(memory.numAffectedRows ?? 0n) }
}

export async function isBeingErased (db: Db, workspace: string, agent_id: string): Promise<boolean> {
  return await db.selectFrom('erased_agents').select('agent_id').where('workspace', '=', workspace).where('agent_id', '=', agent_id).executeTakeFirst() !== undefined
}

export function erasureTopics (workspace: string, agent_id: string): Topic[] {
  return [memoryTopic(workspace, agent_id)]
}

/** Sessions looked through at once. */
const SESSIONS = 200

interface Erased { workspace: string, agent_id: string, pseudonym: string, up_to_message_id: number, request_id: string, messages_erased: number, erased_at: string }

/** Goes on with whatever is left of every erasure that was begun. @returns whether all are through */
export async function eraseAgents (db: Db, tell: (topics: readonly Topic[]) => void, stopping: () => boolean = () => false): Promise<boolean> {
  // Crosses workspaces; what follows is one's.
  const erasures = await db.selectFrom('erased_agents')
    .select(['workspace', 'agent_id', 'pseudonym', 'up_to_message_id', 'request_id', 'messages_erased', 'erased_at',
      sql<boolean>`xact < pg_snapshot_xmin(pg_current_snapshot())`.as('alone')])
    .orderBy('erased_at').execute()
  let through = true
  for (const { alone, ...erased } of erasures) {
    // Names first: sessions of the agent would else show it for as long as its messages take.
    if (!await renameSessions(db, erased, stopping) || !await eraseInSessions(db, erased, tell, stopping)) return false
    // What began before the erasure has ended by now, and this round has seen what it wrote: else another round follows.
    if (alone) await inTurn(db, tx => finish(tx, erased))
    else through = false
  }
  return through
}

async function renameSessions (db: Db, { workspace, agent_id, pseudonym, erased_at }: Erased, stopping: () => boolean): Promise<boolean> {
  for (let batch = BATCH; batch === BATCH;) {
    if (stopping()) return false
    const renamed = await inTurn(db, tx => sql`
      update sessions set created_by = ${pseudonym} where workspace = ${workspace} and id = any(array(
        select id from sessions where workspace = ${workspace} and created_by = ${agent_id} and created_at <= ${erased_at}::timestamptz order by id limit ${BATCH} for update))`.execute(tx))
    if (renamed === undefined) return false
    batch = Number(renamed.numAffectedRows ?? 0n)
  }
  return true
}

async function eraseInSessions (db: Db, erased: Erased, tell: (topics: readonly Topic[]) => void, stopping: () => boolean): Promise<boolean> {
  const { workspace, agent_id, pseudonym, up_to_message_id, erased_at } = erased
  for (let after = '', more = true; more;) {
    const { rows } = await sql<{ id: string, wrote: boolean }>`
      select s.id, own.wrote from (select id from sessions where workspace = ${workspace} and id > ${after} order by id limit ${SESSIONS}) s
      left join lateral (select true as wrote from messages m where m.workspace = ${workspace} and m.session_id = s.id and m.sender = ${agent_id} and m.id <= ${up_to_message_id} limit 1) own on true
      order by s.id`.execute(db)
    after = rows.at(-1)?.id ?? after
    more = rows.length === SESSIONS
    for (const { id } of rows.filter(({ wrote }) => wrote)) {
      for (let removed = BATCH; removed === BATCH;) {
        if (stopping()) return false
        const batch = await inTurn(db, tx => eraseBatch(tx, erased, id))
        if (batch === undefined) return false
        removed = batch
        if (removed > 0) tell([sessionTopic(workspace, id)])
      }
    }
    const renamed = await inTurn(db, tx => sql`
      update session_changes set changed_by = case changed_by when ${agent_id} then ${pseudonym} else changed_by end, sender = case sender when ${agent_id} then ${pseudonym} else sender end
      where workspace = ${workspace} and changed_at <= ${erased_at}::timestamptz and (changed_by = ${agent_id} or sender = ${agent_id})
        and (session_id = any(${rows.map(({ id }) => id)}::text[]) or kind = 'session_deleted')`.execute(tx))
    if (renamed === undefined || stopping()) return false
  }
  return true
}

async function eraseBatch (tx: Db, { workspace, agent_id, pseudonym, up_to_message_id }: Erased, session_id: string): Promise<number> {
  // Deleted meanwhile: then its messages go with it.
  const session = await tx.selectFrom('sessions').select('id').where('workspace', '=', workspace).where('id', '=', session_id).forUpdate().executeTakeFirst()
  if (session === undefined) return 0
  const rows = await tx.selectFrom('messages').select('id').where('workspace', '=', workspace).where('session_id', '=', session_id)
    .where('sender', '=', agent_id).where('id', '<=', up_to_message_id).orderBy('seq').limit(BATCH).execute()
  if (rows.length === 0) return 0
  const { removed } = await removeMessages(tx, { workspace, session_id, ids: rows.map(({ id }) => id), told: { changed_by: pseudonym, sender: pseudonym } })
  await tx.updateTable('erased_agents').set({ messages_erased: sql<number>`messages_erased + ${removed}` }).where('workspace', '=', workspace).where('agent_id', '=', agent_id).execute()
  return removed
}

/** Unless it was asked for again meanwhile, under which more belongs to it. */
async function finish (tx: Db, { workspace, agent_id, request_id, erased_at }: Erased): Promise<void> {
  const done = await tx.deleteFrom('erased_agents').where('workspace', '=', workspace).where('agent_id', '=', agent_id).where('erased_at', '=', erased_at).returning('messages_erased').executeTakeFirst()
  if (done === undefined) return
  await audit.write(tx, byService(workspace, 'erase_agent', { event_type: 'agent_erasure_finished', resource: `agent:${agent_id}`, metadata: { of_agent: agent_id, messages: done.messages_erased } }, request_id))
}
