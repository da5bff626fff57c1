import { sql } from 'kysely'
import { isFor } from '../../kernel/addresses.js'
import { type Agent, isAdmin } from '../../kernel/agent.js'
import { messageColumns, messageOf, type MessageRow, type StoredMessage } from '../../messages/store/messages.js'
import type { Db } from '../../postgres/schema.js'
import { sessionOfAgents, type SessionRow } from '../../sessions/store/sessions.js'
import { defineStatement } from '../../postgres/statements.js'
import { changesPerViewer, type Item, sees } from './changes-per-viewer.js'
import { taskChanges, type ToldTask } from './task-changes.js'
import { messagesForMany, seenBy, type ViewerColumns, viewerColumns, viewerRows } from '../../visibility/visibility.js'

/**
 * The ordered feed of a session: what of it changed for a viewer after a cursor, with the rights the viewer has now.
 *
 * What happened to one message between the cursor and now comes once, at the seq of the last change that matters. So a
 * reader who goes from cursor to cursor has in the end what a reader of everything has, and never gets a message that
 * it may no longer see. A message that a change has made visible stands at that change, as in get_messages.
 */
export type Change =
  /** Written after the cursor, or made visible to this viewer after it: `seq` is the change that made it visible. */
  | { seq: number; type: 'message_added'; message: MessageRow }
  /** The viewer could see it at the cursor, and still can. */
  | { seq: number; type: 'visibility_changed'; message: MessageRow }
  /** The viewer could see it, and now cannot. */
  | { seq: number; type: 'message_hidden'; message_id: number }
  | { seq: number; type: 'message_deleted'; message_id: number }
  /** A task of the session as it is now; once, for all that happened to it since the cursor. */
  | { seq: number; type: 'task_changed'; task: ToldTask }
  /** The session was deleted. Only for followers of all sessions: for followers of this one, the feed ends. */
  | { seq: number; type: 'session_deleted' }
  /**
   * The session; `session_closed` when it is closed. In one reading once, at the last of its changes: who is told that
   * it is closed has been told all that it could see when it was closed.
   */
  | { seq: number; type: 'session_updated' | 'session_closed'; session: SessionRow }

export interface SharedPage {
  cursor: number
  head: number
  is_active: boolean
  /** As in Page, of paged-feed.ts. */
  changesOf: (viewer: number) => readonly Change[]
}

/** [seq, who saw the message before it, who saw it after it], the viewers by their number from 1; null is everybody. */
type Move = [seq: number, from: number[] | null, to: number[] | null]

type Row = StoredMessage & {
  head: number
  is_active: boolean
  archived_at: SessionRow['archived_at']
  /** The session's own last change, maybe beyond the page; null if the page has none. */
  updated: number | null
  deleted: Array<[seq: number, message_id: number, seen_by: number[] | null]> | null
  /** The last change of each task. */
  tasks: Array<[seq: number, task_id: string]> | null
  seen_by: number[] | null
  moves: Move[] | null
}

interface Asked extends ViewerColumns {
  workspace: string
  session_id: string
  after_seq: number
  until: number
}

const readChanges = defineStatement<Asked, Row>(
  'messages.changes',
  (db, { workspace, session_id, after_seq, until, agent_ids, agent_types, admins }) => {
    const ofSession = sql`c.workspace = ${workspace} and c.session_id = ${session_id}`
    const columns = [...messageColumns, 'm.workspace as workspace', seenBy('viewer', 'm').as('seen_by')] as const
    const messages = messagesForMany(db, workspace).select(columns)
    // Content that is for none of the viewers is not fetched.
    const shown = sql`m.seen_by is null or cardinality(m.seen_by) > 0`
    // The viewers that could ever see a deleted message. Its row is gone, and with it the visibility at the cursor.
    const shownAs = sql`from session_changes x, lateral (select ${seenBy('viewer', 'c', 'x.from_visibility')}
      as seen_by) s
    where x.workspace = ${workspace} and x.session_id = ${session_id} and x.message_id = c.message_id
      and x.seq <= c.seq`
    const changed = sql<number>`any(array(select message_id from change where message_id is not null))`
    const moved = sql`from session_changes c
      where ${ofSession} and c.seq > ${after_seq} and c.kind = 'visibility_changed'`
    const everyone = sql`select ${shownAs} and s.seen_by is null`
    const someone = sql`select distinct unnest(s.seen_by) as n ${shownAs}`
    return sql<Row>`
    with viewer as materialized (select * from ${viewerRows({ agent_ids, agent_types, admins })}),
    change as materialized (
      select c.seq, c.kind, c.message_id, c.task_id, c.sender, c.sender_type, c.addressees from session_changes c
      where ${ofSession} and c.seq > ${after_seq} and c.seq <= ${until}
    ),
    touched as (
      ${messages.where('m.session_id', '=', session_id).where('m.seq', '>', after_seq).where('m.seq', '<=', until)}
      union all
      -- "+ 0" and "|| ''" keep the planner on the ids: without statistics it would read the session up to the cursor.
      ${messages
        .where(sql<boolean>`m.session_id || '' = ${session_id}`)
        .where(sql<boolean>`m.seq + 0 <= ${after_seq}`)
        .where('m.id', '=', changed)}
    ),
    found as (
      select m.id, m.session_id, m.seq, m.sender, m.sender_type, m.visibility, m.parent_message_id, m.timestamp,
        m.addressees, m.seen_by,
             case when ${shown} then m.content end as content, case when ${shown} then m.metadata end as metadata,
             case when ${shown} then m.payload end as payload,
             -- Looked up message by message only if there is one: nearly always there is none.
             case when (select exists (select ${moved})) then
               (select json_agg(json_build_array(c.seq, ${seenBy('viewer', 'm', 'c.from_visibility')},
                 ${seenBy('viewer', 'm', 'c.to_visibility')}) order by c.seq) ${moved} and c.message_id = m.id)
             end as moves
      from touched m
    )
    select s.last_seq as head, s.is_active, s.archived_at,
           case when exists (select from change where kind = 'session_updated') then
             (select max(c.seq) from session_changes c
              where ${ofSession} and c.seq > ${after_seq} and c.kind = 'session_updated')
           end as updated,
           (select json_agg(json_build_array(c.seq, c.message_id,
             case when not exists (${everyone}) then array(${someone}) end) order by c.seq)
            from change c where c.kind = 'message_deleted') as deleted,
           (select json_agg(json_build_array(c.seq, c.task_id)) from (
             select max(seq) as seq, task_id from change where kind = 'task_changed' group by task_id) c) as tasks,
           found.*
    from sessions s left join found on true
    where s.workspace = ${workspace} and s.id = ${session_id}`
  },
  'once'
)

/**
 * One page for many viewers of one workspace who are at the same cursor: each message is read once. One statement, so
 * that nothing is committed between its parts. seq has no gaps, so `until` bounds the work.
 */
export async function changesForMany(
  db: Db,
  viewers: readonly Agent[],
  session_id: string,
  after_seq: number,
  until: number
): Promise<SharedPage | undefined> {
  const { workspace } = viewers[0] as Agent
  const rows = await readChanges(db, { workspace, session_id, after_seq, until, ...viewerColumns(viewers) })
  const first = rows[0]
  if (first === undefined) return undefined

  const { head, is_active, archived_at, updated, deleted, tasks } = first
  const cursor = Math.max(after_seq, Math.min(until, head))
  const items: Array<Item<Change>> = []
  if (updated !== null && updated <= cursor) {
    // What is read here may be newer than the page: that is told again at its own seq, and a closing only there.
    const found = await sessionOfAgents(db, workspace, session_id)
    if (found === undefined) return undefined
    const { session, between } = found
    const type = is_active ? 'session_updated' : 'session_closed'
    items.push({
      seen_by: between && viewers.flatMap((viewer, i) => (isAdmin(viewer) || isFor(viewer, between) ? [i + 1] : [])),
      change: { seq: updated, type, session: { ...session, is_active, archived_at } }
    })
  }
  if (tasks !== null) items.push(...(await taskChanges(db, viewers, tasks)))
  const gone = new Set<number>()
  for (const [seq, message_id, seen_by] of deleted ?? []) {
    gone.add(message_id)
    items.push({ seen_by, change: { seq, type: 'message_deleted', message_id } })
  }
  for (const row of rows)
    if (row.id !== null && !gone.has(row.id)) items.push(...itemsOf(row, viewers.length, after_seq))
  const within = items.filter(({ change }) => change.seq <= cursor).sort((a, b) => a.change.seq - b.change.seq)

  return { cursor, head, is_active, changesOf: changesPerViewer(viewers, session_id, within) }
}

/** What happened to one message since the cursor: viewer by viewer, unless all viewers saw it all the time. */
function itemsOf(
  { head, is_active, archived_at, updated, deleted, tasks, seen_by, moves, ...stored }: Row,
  viewers: number,
  after_seq: number
): Array<Item<Change>> {
  const message = messageOf(stored)
  const written = message.seq > after_seq
  if (moves === null || moves.length === 0) {
    return written && (seen_by === null || seen_by.length > 0)
      ? [{ seen_by, change: { seq: message.seq, type: 'message_added', message } }]
      : []
  }
  const items = new Map<string, { change: Change; seen_by: number[] }>()
  const first = moves[0] as Move
  for (let viewer = 1; viewer <= viewers; viewer++) {
    for (const change of changesFor(message, {
      written,
      before: !written && sees(first[1], viewer),
      now: sees(seen_by, viewer),
      moves,
      viewer
    })) {
      const same = `${change.type} ${change.seq}`
      const item = items.get(same) ?? { change, seen_by: [] }
      item.seen_by.push(viewer)
      items.set(same, item)
    }
  }
  return [...items.values()]
}

interface MessageTransition {
  written: boolean
  before: boolean
  now: boolean
  moves: Move[]
  viewer: number
}

function changesFor(message: MessageRow, { written, before, now, moves, viewer }: MessageTransition): Change[] {
  const last = (is: (from: boolean, to: boolean) => boolean) =>
    moves.findLast(([, from, to]) => is(sees(from, viewer), sees(to, viewer)))?.[0]
  const lastHidden = before ? last((from, to) => from && !to) : undefined
  const hidden: Change[] =
    lastHidden === undefined ? [] : [{ seq: lastHidden, type: 'message_hidden', message_id: message.id }]
  if (!now) return hidden
  const shown = last((from, to) => !from && to)
  // Taken back and shown again: both are told, so that nobody is given what it has.
  if (shown !== undefined) return [...hidden, { seq: shown, type: 'message_added', message }]
  return [
    written
      ? { seq: message.seq, type: 'message_added', message }
      : { seq: last(() => true) as number, type: 'visibility_changed', message }
  ]
}
