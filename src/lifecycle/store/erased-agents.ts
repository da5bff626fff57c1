import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { memoryTopic, sessionTopic, type Topic } from '../../kernel/events.js'
import * as audit from '../../audit/store/rows.js'
import { removeMessages } from '../../messages/store/message-removal.js'
import type { Db } from '../../postgres/schema.js'
import { revokeAgent } from '../../agents/store/tokens.js'
import { BATCH, byService, inTurn } from '../turns.js'

/**
 * Erasing an agent: what it has written and kept goes, and where its name stood in what belongs to others (who opened a
 * session, who changed something) a pseudonym stands. Its audit rows stay as they are. Tokens, memory and the like go
 * with the call; messages and names follow in small batches, since there may be a million.
 */

/**
 * Seconds in which calls with the agent's tokens may still be answered by a replica that has not heard of their end
 * (docs/semantics.md, Visibility): what is written under the name in them is still its.
 */
const REVOKED_WITHIN = 2
/**
 * Seconds after which everything of those calls is written: with what a replica notes in the background, once a second.
 */
const SETTLED_AFTER = REVOKED_WITHIN + 2

export interface Begun {
  pseudonym: string
  revoked_tokens: number
  deleted_memory: number
}

export async function beginErasure(tx: Db, workspace: string, agent_id: string, request_id: string): Promise<Begun> {
  // Of the agent's tokens none is issued meanwhile: it locks the agent.
  const revoked_tokens = await revokeAgent(tx, workspace, agent_id)
  // One that is under way goes on under its name.
  const {
    rows: [begun]
  } = await sql<{ pseudonym: string }>`
    insert into erased_agents as e (workspace, agent_id, pseudonym, up_to_message_id, request_id)
    select ${workspace}, ${agent_id}, ${`erased-${randomBytes(8).toString('hex')}`}, coalesce((select max(id) from messages where workspace = ${workspace}), 0), ${request_id}
    on conflict (workspace, agent_id) do update set up_to_message_id = excluded.up_to_message_id, erased_at = clock_timestamp(), xact = pg_current_xact_id()
    returning pseudonym`.execute(tx)
  const { pseudonym } = begun as { pseudonym: string }
  const own = sql`workspace = ${workspace} and agent_id = ${agent_id}`
  // What is revoked is remembered for as long as it could be presented.
  await sql`update tokens set agent_id = ${pseudonym} where ${own}`.execute(tx)
  // Keys of its own end; one for several agents, by the beginning of their names, does not.
  await sql`update api_keys set revoked_at = coalesce(revoked_at, clock_timestamp()), agent_id = ${pseudonym} where ${own}`.execute(
    tx
  )
  await sql`update api_keys set created_by = ${pseudonym} where workspace = ${workspace} and created_by = ${agent_id}`.execute(
    tx
  )
  await sql`update mcp_sessions set agent_id = null, agent_type = null, permissions = null, token_jti = null, token_expires_at = null, client_name = null where ${own}`.execute(
    tx
  )
  return { pseudonym, revoked_tokens, deleted_memory: await removeOwn(tx, workspace, agent_id, [...OWN, ...PRESENCE]) }
}

const PRESENCE = [
  ['session_presence', 'last_seen_at'],
  ['agents', 'last_seen_at']
] as const
const OWN = [
  ['read_cursors', 'updated_at'],
  ['idempotency_keys', 'created_at'],
  ['agent_memory', 'updated_at']
] as const

/** What belongs to the agent alone, and was written no later. @returns how many memory entries */
async function removeOwn(
  db: Db,
  workspace: string,
  agent_id: string,
  tables: ReadonlyArray<readonly [table: string, written_at: string]>,
  until = 'infinity'
): Promise<number> {
  let removed = 0n
  for (const [table, written_at] of tables) {
    const { numAffectedRows = 0n } = await sql`
      delete from ${sql.table(table)} where workspace = ${workspace} and agent_id = ${agent_id} and ${sql.ref(written_at)} <= ${until}::timestamptz`.execute(
      db
    )
    if (table === 'agent_memory') removed = numAffectedRows
  }
  return Number(removed)
}

export async function isBeingErased(db: Db, workspace: string, agent_id: string): Promise<boolean> {
  return (
    (await db
      .selectFrom('erased_agents')
      .select('agent_id')
      .where('workspace', '=', workspace)
      .where('agent_id', '=', agent_id)
      .executeTakeFirst()) !== undefined
  )
}

export function erasureTopics(workspace: string, agent_id: string): Topic[] {
  return [memoryTopic(workspace, agent_id)]
}

/** Sessions looked through at once. */
const SESSIONS = 200

interface Erased {
  workspace: string
  agent_id: string
  pseudonym: string
  up_to_message_id: number
  request_id: string
  messages_erased: number
  erased_at: string
  until: string
}

/** Goes on with whatever is left of every erasure that was begun. @returns whether all are through */
export async function eraseAgents(
  db: Db,
  tell: (topics: readonly Topic[]) => void,
  stopping: () => boolean = () => false
): Promise<boolean> {
  // Crosses workspaces; what follows is one's.
  const erasures = await db
    .selectFrom('erased_agents')
    .select([
      'workspace',
      'agent_id',
      'pseudonym',
      'up_to_message_id',
      'request_id',
      'messages_erased',
      'erased_at',
      sql<string>`erased_at + make_interval(secs => ${REVOKED_WITHIN})`.as('until'),
      sql<boolean>`xact < pg_snapshot_xmin(pg_current_snapshot()) and erased_at < clock_timestamp() - make_interval(secs => ${SETTLED_AFTER})`.as(
        'settled'
      )
    ])
    .orderBy('erased_at')
    .execute()
  let through = true
  for (const { settled, ...erased } of erasures) {
    // Names first: sessions of the agent would else show it for as long as its messages take.
    if (!(await renameSessions(db, erased, stopping)) || !(await eraseInSessions(db, erased, tell, stopping)))
      return false
    // What began before all replicas knew has ended by now, and this round has seen what it wrote: else another round
    // follows.
    if (settled) await inTurn(db, tx => finish(tx, erased))
    else through = false
  }
  return through
}

async function renameSessions(
  db: Db,
  { workspace, agent_id, pseudonym, until }: Erased,
  stopping: () => boolean
): Promise<boolean> {
  for (let batch = BATCH; batch === BATCH;) {
    if (stopping()) return false
    const renamed = await inTurn(db, tx =>
      sql`
      update sessions set created_by = ${pseudonym} where workspace = ${workspace} and id = any(array(
        select id from sessions where workspace = ${workspace} and created_by = ${agent_id} and created_at <= ${until}::timestamptz order by id limit ${BATCH} for update))`.execute(
        tx
      )
    )
    if (renamed === undefined) return false
    batch = Number(renamed.numAffectedRows ?? 0n)
  }
  return true
}

async function eraseInSessions(
  db: Db,
  erased: Erased,
  tell: (topics: readonly Topic[]) => void,
  stopping: () => boolean
): Promise<boolean> {
  const { workspace, agent_id, pseudonym, until } = erased
  for (let after = '', more = true; more;) {
    const { rows } = await sql<{ id: string; wrote: boolean }>`
      select s.id, own.wrote from (select id from sessions where workspace = ${workspace} and id > ${after} order by id limit ${SESSIONS}) s
      left join lateral (select true as wrote from messages m where m.workspace = ${workspace} and m.session_id = s.id and m.sender = ${agent_id} and ${ofErased(erased)} limit 1) own on true
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
    const renamed = await inTurn(db, tx =>
      sql`
      update session_changes set changed_by = case changed_by when ${agent_id} then ${pseudonym} else changed_by end, sender = case sender when ${agent_id} then ${pseudonym} else sender end
      where workspace = ${workspace} and changed_at <= ${until}::timestamptz and (changed_by = ${agent_id} or sender = ${agent_id})
        and (session_id = any(${rows.map(({ id }) => id)}::text[]) or kind = 'session_deleted')`.execute(tx)
    )
    if (renamed === undefined || stopping()) return false
  }
  return true
}

/**
 * Of messages under the name, those that are the erased one's: what was written in advance of its time (imported) also.
 */
function ofErased({ up_to_message_id, until }: Erased) {
  return sql<boolean>`(id <= ${up_to_message_id} or ${sql.ref('timestamp')} <= ${until}::timestamptz)`
}

async function eraseBatch(tx: Db, erased: Erased, session_id: string): Promise<number> {
  const { workspace, agent_id, pseudonym } = erased
  // Deleted meanwhile: then its messages go with it.
  const session = await tx
    .selectFrom('sessions')
    .select('id')
    .where('workspace', '=', workspace)
    .where('id', '=', session_id)
    .forUpdate()
    .executeTakeFirst()
  if (session === undefined) return 0
  const rows = await tx
    .selectFrom('messages')
    .select('id')
    .where('workspace', '=', workspace)
    .where('session_id', '=', session_id)
    .where('sender', '=', agent_id)
    .where(ofErased(erased))
    .orderBy('seq')
    .limit(BATCH)
    .execute()
  if (rows.length === 0) return 0
  const { removed } = await removeMessages(tx, {
    workspace,
    session_id,
    ids: rows.map(({ id }) => id),
    told: { changed_by: pseudonym, sender: pseudonym }
  })
  await tx
    .updateTable('erased_agents')
    .set({ messages_erased: sql<number>`messages_erased + ${removed}` })
    .where('workspace', '=', workspace)
    .where('agent_id', '=', agent_id)
    .execute()
  return removed
}

/** Unless it was asked for again meanwhile, under which more belongs to it. */
async function finish(tx: Db, { workspace, agent_id, request_id, erased_at, until }: Erased): Promise<void> {
  const done = await tx
    .deleteFrom('erased_agents')
    .where('workspace', '=', workspace)
    .where('agent_id', '=', agent_id)
    .where('erased_at', '=', erased_at)
    .returning('messages_erased')
    .executeTakeFirst()
  if (done === undefined) return
  await removeOwn(tx, workspace, agent_id, OWN, until)
  // Noted later than it was seen; whoever is here by now under the name is noted again.
  await removeOwn(tx, workspace, agent_id, PRESENCE)
  await audit.write(
    tx,
    byService(
      workspace,
      'erase_agent',
      {
        event_type: 'agent_erasure_finished',
        resource: `agent:${agent_id}`,
        metadata: { of_agent: agent_id, messages: done.messages_erased }
      },
      request_id
    )
  )
}
