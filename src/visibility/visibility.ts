import { type RawBuilder, sql } from 'kysely'
import { type Agent, isAdmin } from '../kernel/agent.js'
import type { Visibility } from '../kernel/visibilities.js'
import type { Db } from '../postgres/schema.js'

/**
 * Who sees a message (docs/semantics.md, Visibility). `partsNotPublic`, `othersNotPublic`, `visibleOfKind` and
 * VISIBLE_TO_WRITER below say the same in other forms: change all five. Callers of this function handle admins, who see
 * every message, and agents that are limited to sessions, which includes admins.
 */
function visibilityRule(
  visibilityColumn: RawBuilder<unknown>,
  sender: RawBuilder<unknown>,
  sender_type: RawBuilder<unknown>,
  addressees: RawBuilder<unknown>,
  agent_id: unknown,
  agent_type: unknown
): RawBuilder<boolean> {
  return sql<boolean>`(${visibilityColumn} = 'public'
    or (${visibilityColumn} = 'private' and ${sender} = ${agent_id})
    or (${visibilityColumn} = 'agent_only' and ${sender_type} = ${agent_type})
    or (${visibilityColumn} = 'direct' and (${sender} = ${agent_id}
      or ${isAddressee(addressees, agent_id, agent_type)})))`
}

/**
 * SQL condition: whether one of the addressees is the agent. An agent_id from before names could not begin with `type:`
 * does not stand for a type.
 */
export function isAddressee(
  addressees: RawBuilder<unknown>,
  agent_id: unknown,
  agent_type: unknown
): RawBuilder<boolean> {
  return sql<boolean>`((${agent_id} = any(${addressees}) and ${agent_id}::text not like 'type:%')
    or 'type:' || ${agent_type}::text = any(${addressees}))`
}

/**
 * SQL condition: the viewer sees the message of a row with the columns sender, sender_type, addressees and visibility.
 * @param visibility another column, for the visibility that a message had before a change
 */
export function visibleTo(viewer: Agent, row: string, visibility = 'visibility'): RawBuilder<boolean> {
  const visibilityColumn = sql.ref(visibility.includes('.') ? visibility : `${row}.${visibility}`)
  const isVisible = isAdmin(viewer)
    ? sql<boolean>`true`
    : visibilityRule(
        visibilityColumn,
        sql.ref(`${row}.sender`),
        sql.ref(`${row}.sender_type`),
        sql.ref(`${row}.addressees`),
        viewer.agent_id,
        viewer.agent_type
      )
  return viewer.sessions === undefined
    ? isVisible
    : sql<boolean>`(${isVisible} and ${withinSessions(viewer.sessions, `${row}.session_id`)})`
}

/** More than are counted exactly (message-counts.ts). */
const DIRECT_MAX = 10_001

/**
 * Conditions over `m` that divide the non-public messages of a session which the viewer sees into disjoint parts. Each
 * part has an index that holds nothing else, of messages or of the entries of inboxes. So counting a part costs as much
 * as that part is large, however much others have.
 * @param session_id of the session whose messages `m` are
 */
export function partsNotPublic(viewer: Agent, session_id: RawBuilder<string>): Array<RawBuilder<boolean>> {
  if (isAdmin(viewer)) return othersNotPublic(viewer, session_id)
  return [
    sql<boolean>`(m.visibility = 'private' and m.sender = ${viewer.agent_id})`,
    sql<boolean>`(m.visibility = 'direct' and m.sender = ${viewer.agent_id} and m.seq = any(array(
      select distinct e.seq ${directEntries(viewer, session_id)} and e.sender = ${viewer.agent_id}
      order by e.seq desc limit ${sql.lit(DIRECT_MAX)})))`,
    ...othersNotPublic(viewer, session_id)
  ]
}

/** Those parts that may contain messages of other agents. */
export function othersNotPublic(viewer: Agent, session_id: RawBuilder<string>): Array<RawBuilder<boolean>> {
  if (isAdmin(viewer)) return [sql<boolean>`m.visibility <> 'public'`]
  const { agent_id, agent_type } = viewer
  const entries = (name: RawBuilder<unknown>) =>
    sql`(select e.seq ${directEntries(viewer, session_id)} and ${name}
      order by e.seq desc limit ${sql.lit(DIRECT_MAX)})`
  const named = entries(sql`e.name = ${agent_id} and ${agent_id}::text not like 'type:%'`)
  const of_type = entries(sql`e.name = 'type:' || ${agent_type}::text`)
  return [
    sql<boolean>`(m.visibility = 'agent_only' and m.sender_type = ${viewer.agent_type})`,
    sql<boolean>`(m.visibility = 'direct' and m.sender <> ${agent_id}
      and m.seq = any(array(${named} union all ${of_type})))`
  ]
}

/** The entries of inboxes for direct messages of a session, with room for more conditions. */
function directEntries({ workspace }: Agent, session_id: RawBuilder<string>): RawBuilder<unknown> {
  return sql`from inbox e where e.workspace = ${workspace} and e.session_id = ${session_id} and e.direct`
}

/**
 * SQL condition over messages `m` of one visibility in a session: the viewer sees them. PostgreSQL does not infer this
 * from the whole rule, and would read all messages of that visibility, whosever they are. Each has an index; direct
 * messages have those of the inbox.
 */
export function visibleOfKind(
  visibility: Visibility,
  viewer: Agent,
  session_id: RawBuilder<string>
): RawBuilder<boolean> {
  const { agent_id, agent_type } = viewer
  if (visibility === 'direct') {
    const entries = sql`select e.seq ${directEntries(viewer, session_id)}`
    return isAdmin(viewer)
      ? sql<boolean>`m.seq = any(array(${entries}))`
      : sql<boolean>`m.seq = any(array(${entries} and e.sender = ${agent_id} union ${entries} and e.name = ${agent_id}
          union ${entries} and e.name = 'type:' || ${agent_type}::text))`
  }
  if (isAdmin(viewer) || visibility === 'public') return sql<boolean>`true`
  if (visibility === 'private') return sql<boolean>`m.sender = ${agent_id}`
  return visibility === 'agent_only' ? sql<boolean>`m.sender_type = ${agent_type}` : sql<boolean>`false`
}

/** SQL condition: the column holds one of these session ids. */
export function withinSessions(sessions: readonly string[], column: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} = any(${sessions}::text[])`
}

/**
 * The messages that the viewer may see. Every read for a caller starts here, so that none can omit the rule
 * (test/visibility/visibility.test.ts counts the places that select from messages).
 */
export function readableMessages(db: Db, viewer: Agent) {
  return db.selectFrom('messages as m').where('m.workspace', '=', viewer.workspace).where(visibleTo(viewer, 'm'))
}

/**
 * One message the viewer may see, looked up by its id before the other conditions apply. (Without this order,
 * PostgreSQL would scan a whole session for each message while it has no statistics of a table: more than 10 s for the
 * thousands that wait to be indexed.)
 */
export function readableMessage(db: Db, viewer: Agent, id: RawBuilder<number>) {
  const message = db
    .selectFrom('messages as m')
    .selectAll()
    .where('m.workspace', '=', viewer.workspace)
    .where('m.id', '=', id)
    .offset(0)
  return db.selectFrom(message.as('m')).where(visibleTo(viewer, 'm'))
}

/**
 * Those messages of a session, by their seq, that the viewer may see. They are all read before the other conditions
 * apply. (Without this order, PostgreSQL takes an index of those conditions, and reads it for the whole session.)
 */
export function readableAt(db: Db, viewer: Agent, session_id: string, seqs: readonly number[]) {
  const at = db
    .selectFrom('messages as m')
    .selectAll()
    .where('m.workspace', '=', viewer.workspace)
    .where('m.session_id', '=', session_id)
    .where('m.seq', '=', sql<number>`any(${seqs}::bigint[])`)
    .offset(0)
  return db.selectFrom(at.as('m')).where(visibleTo(viewer, 'm'))
}

/** The viewers of one query that serves several, as columns. */
export interface ViewerColumns {
  agent_ids: string[]
  agent_types: string[]
  admins: boolean[]
}

export function viewerColumns(viewers: readonly Agent[]): ViewerColumns {
  return {
    agent_ids: viewers.map(viewer => viewer.agent_id),
    agent_types: viewers.map(viewer => viewer.agent_type),
    admins: viewers.map(isAdmin)
  }
}

/** The viewers as rows (agent_id, agent_type, is_admin, n), where n counts from 1 in the given order. */
export function viewerRows({ agent_ids, agent_types, admins }: ViewerColumns): RawBuilder<unknown> {
  return sql`unnest(${agent_ids}::text[], ${agent_types}::text[], ${admins}::boolean[]) with ordinality as viewer
      (agent_id, agent_type, is_admin, n)`
}

/**
 * SQL expression: the numbers n of the rows of `viewers` that see the message of a row; null: all do.
 * @param visibility as in `visibleTo`
 */
export function seenBy(viewers: string, row: string, visibility = 'visibility'): RawBuilder<number[] | null> {
  const visibilityColumn = sql.ref(visibility.includes('.') ? visibility : `${row}.${visibility}`)
  const isVisible = visibilityRule(
    visibilityColumn,
    sql.ref(`${row}.sender`),
    sql.ref(`${row}.sender_type`),
    sql.ref(`${row}.addressees`),
    sql.ref('v.agent_id'),
    sql.ref('v.agent_type')
  )
  return sql<
    number[] | null
  >`case when ${visibilityColumn} is distinct from 'public' then array(select v.n::int from ${sql.ref(viewers)} v
      where v.is_admin or ${isVisible}) end`
}

/**
 * The same rule as text for the statement that writes messages (message-batch.ts): the writer `d` sees the message `m`.
 */
export const VISIBLE_TO_WRITER = `(d.is_admin or m.visibility = 'public'
  or (m.visibility = 'private' and m.sender = d.sender)
  or (m.visibility = 'agent_only' and m.sender_type = d.sender_type)
  or (m.visibility = 'direct' and (m.sender = d.sender or (d.sender = any(m.addressees) and d.sender not like 'type:%')
    or 'type:' || d.sender_type = any(m.addressees))))`

/**
 * All messages of a workspace, for a query that serves several viewers. Pass each message only to the viewers that
 * `seenBy` names.
 */
export function messagesForMany(db: Db, workspace: string) {
  return db.selectFrom('messages as m').where('m.workspace', '=', workspace)
}
