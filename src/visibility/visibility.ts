import { type RawBuilder, sql } from 'kysely'
import { type Agent, isAdmin, mayEnter } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'

/**
 * The rule of docs/semantics.md, Visibility, in its one place: who sees a message. Admins see all of them; that is for
 * who asks to say. Where an agent is limited to sessions, so are admins.
 */
function rule(
  shown: RawBuilder<unknown>,
  sender: RawBuilder<unknown>,
  sender_type: RawBuilder<unknown>,
  agent_id: unknown,
  agent_type: unknown
): RawBuilder<boolean> {
  return sql<boolean>`(${shown} = 'public'
    or (${shown} = 'private' and ${sender} = ${agent_id})
    or (${shown} = 'agent_only' and ${sender_type} = ${agent_type}))`
}

/**
 * Whether the viewer sees a message. As SQL over a row that has sender, sender_type and visibility under these names;
 * `visibility` can be another column, for what a message was before a change.
 */
export function visibleTo(viewer: Agent, row: string, visibility = 'visibility'): RawBuilder<boolean> {
  const shown = sql.ref(visibility.includes('.') ? visibility : `${row}.${visibility}`)
  const sees = isAdmin(viewer)
    ? sql<boolean>`true`
    : rule(shown, sql.ref(`${row}.sender`), sql.ref(`${row}.sender_type`), viewer.agent_id, viewer.agent_type)
  return viewer.sessions === undefined
    ? sees
    : sql<boolean>`(${sees} and ${withinSessions(viewer.sessions, `${row}.session_id`)})`
}

/**
 * What the viewer sees of the messages that are not public, part by part, as conditions over `m`. No message is in two
 * of them, and of each there is an index, which is found by these very words; so counting them is as cheap as they are
 * few, however many others there are.
 */
export function partsNotPublic(viewer: Agent): Array<RawBuilder<boolean>> {
  return isAdmin(viewer)
    ? othersNotPublic(viewer)
    : [sql<boolean>`(m.visibility = 'private' and m.sender = ${viewer.agent_id})`, ...othersNotPublic(viewer)]
}

/** Those of them in which there may be messages of others. */
export function othersNotPublic(viewer: Agent): Array<RawBuilder<boolean>> {
  return [
    isAdmin(viewer)
      ? sql<boolean>`m.visibility <> 'public'`
      : sql<boolean>`(m.visibility = 'agent_only' and m.sender_type = ${viewer.agent_type})`
  ]
}

/** Whether a column names one of the sessions that an agent is limited to. */
export function withinSessions(sessions: readonly string[], column: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} = any(${sessions}::text[])`
}

/**
 * What of a reading for many is for the viewer at that place of the list, of a session: nothing where it may not enter
 * it.
 */
export function ofViewer<T>(
  viewers: readonly Agent[],
  session_id: string,
  of: (viewer: number) => readonly T[]
): (viewer: number) => readonly T[] {
  return viewer => (mayEnter(viewers[viewer] as Agent, session_id) ? of(viewer) : [])
}

/**
 * The only door to messages for a caller: every read starts here, so the rule cannot be forgotten in one of them
 * (test/visibility/visibility.test.ts counts the places that select from messages).
 */
export function readableMessages(db: Db, viewer: Agent) {
  return db.selectFrom('messages as m').where('m.workspace', '=', viewer.workspace).where(visibleTo(viewer, 'm'))
}

/**
 * One of them, looked up by its id before anything else is asked of it. (Beside other conditions PostgreSQL, while it
 * has not counted a table yet, would rather walk along a session: for each of the thousands that wait for the index, in
 * more than 10 s.)
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

/** The viewers of one reading for many, column by column. */
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

/** As rows (agent_id, agent_type, is_admin, n), n from 1 in the order given. */
export function viewerRows({ agent_ids, agent_types, admins }: ViewerColumns): RawBuilder<unknown> {
  return sql`unnest(${agent_ids}::text[], ${agent_types}::text[], ${admins}::boolean[]) with ordinality as viewer (agent_id, agent_type, is_admin, n)`
}

/** Which of the rows of `viewers` see the message of a row, by their n; null: everybody does. `visibility` as above. */
export function seenBy(viewers: string, row: string, visibility = 'visibility'): RawBuilder<number[] | null> {
  const shown = sql.ref(visibility.includes('.') ? visibility : `${row}.${visibility}`)
  const sees = rule(
    shown,
    sql.ref(`${row}.sender`),
    sql.ref(`${row}.sender_type`),
    sql.ref('v.agent_id'),
    sql.ref('v.agent_type')
  )
  return sql<
    number[] | null
  >`case when ${shown} is distinct from 'public' then array(select v.n::int from ${sql.ref(viewers)} v where v.is_admin or ${sees}) end`
}

/**
 * The same rule for the statement that writes (message-batch.ts), as text: whether the writer `d` of a row may see the
 * message `m`.
 */
export const VISIBLE_TO_WRITER = `(d.is_admin or m.visibility = 'public'
  or (m.visibility = 'private' and m.sender = d.sender) or (m.visibility = 'agent_only' and m.sender_type = d.sender_type))`

/**
 * The door for one reading for many viewers: every message, so that each has to be handed on only to whom `seenBy`
 * names.
 */
export function messagesForMany(db: Db, workspace: string) {
  return db.selectFrom('messages as m').where('m.workspace', '=', workspace)
}
