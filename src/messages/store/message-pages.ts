import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { type MessageFilter, filtered, type ReadableMessages } from '../../visibility/message-filter.js'
import { JsonText } from '../../kernel/json-text.js'
import { messageJson } from './message-json.js'
import type { Db } from '../../postgres/schema.js'
import { readableMessages, visibleTo } from '../../visibility/visibility.js'

export interface PageRequest extends MessageFilter {
  limit: number
  offset: number
  /** Only what became visible to the viewer after this seq. */
  after_seq?: number
  /** Only what was written before this seq. */
  before_seq?: number
  /** The end from which the page is taken. */
  order: 'asc' | 'desc'
  /** The order of the messages in the page; as taken by default. */
  shown?: 'asc' | 'desc'
}

export interface Page {
  /** The messages, a JSON array. */
  messages: JsonText
  count: number
  has_more: boolean
  /**
   * The highest seq at which one of the messages stands for this viewer: its creation, or the later change that made it
   * visible. Null for an empty page.
   */
  highest: number | null
  /** The session's last_seq in the same snapshot as the messages. */
  head: number
}

/**
 * A page of a session's messages as the viewer may see them now, and the session's head in the same snapshot: one
 * statement, so that no message can be committed between the two and be skipped by the next cursor.
 */
export async function page(db: Db, viewer: Agent, session_id: string, request: PageRequest): Promise<Page> {
  const { order, limit, offset, after_seq, before_seq, shown = order } = request
  let readable = filtered(readableMessages(db, viewer).where('m.session_id', '=', session_id), request)
  if (before_seq !== undefined) readable = readable.where('m.seq', '<', before_seq)

  const written = readable.select(['m.seq as position', messageJson.as('json')]).orderBy('m.seq', order)
  const positioned =
    after_seq === undefined
      ? sql`${written.limit(limit + 1).offset(offset)}`
      : since(db, viewer, session_id, request, after_seq, readable)
  const { rows } = await sql<{ head: number; found: number; highest: number | null; json: string | null }>`
    select s.last_seq as head, page.*
    from sessions s cross join (
      select count(*)::int as found, max(position) filter (where n <= ${limit}) as highest,
        string_agg(json, ',' order by position ${sql.raw(shown)}) filter (where n <= ${limit}) as json
      from (select *, row_number() over (order by position ${sql.raw(order)}) as n from (${positioned}) either) numbered
    ) page
    where s.workspace = ${viewer.workspace} and s.id = ${session_id}`.execute(db)

  const { head = 0, found = 0, highest = null, json = null } = rows[0] ?? {}
  return {
    messages: new JsonText(`[${json ?? ''}]`),
    count: Math.min(found, limit),
    has_more: found > limit,
    highest,
    head
  }
}

/**
 * What became visible to the viewer after a seq: messages written later, and any that a change of visibility since has
 * shown to the viewer. The latter stand at that change, so that a reader who goes from cursor to cursor meets each
 * exactly once. Two limited halves, each in the order of an index; the `= any(array(...))` keeps the first so.
 */
function since(
  db: Db,
  viewer: Agent,
  session_id: string,
  { order, limit, offset, before_seq }: PageRequest,
  after_seq: number,
  readable: ReadableMessages
) {
  const shown = readableMessages(db, viewer)
    .innerJoin('session_changes as c', join =>
      join
        .onRef('c.workspace', '=', 'm.workspace')
        .onRef('c.session_id', '=', 'm.session_id')
        .onRef('c.message_id', '=', 'm.id')
    )
    .where('c.workspace', '=', viewer.workspace)
    .where('c.session_id', '=', session_id)
    .where('c.seq', '>', after_seq)
    .where(sql<boolean>`not ${visibleTo(viewer, 'm', 'c.from_visibility')}`)
    .where(visibleTo(viewer, 'm', 'c.to_visibility'))
    .groupBy('m.id')
    .select(({ fn }) => ['m.id', fn.max('c.seq').as('seq')])
  const most = limit + 1 + offset
  const later = readable
    .where('m.seq', '>', after_seq)
    .where(sql<boolean>`not (m.id = any(array(select id from shown)))`)
    .select(['m.seq as position', messageJson.as('json')])
    .orderBy('m.seq', order)
    .limit(most)
  const revealed = readable
    .innerJoin(sql<{ id: number; seq: number }>`shown`.as('shown'), 'shown.id', 'm.id')
    .where('shown.seq', '<', before_seq ?? Number.MAX_SAFE_INTEGER)
    .select(['shown.seq as position', messageJson.as('json')])
    .orderBy('shown.seq', order)
    .limit(most)
  return sql`
    with shown as materialized (${shown})
    select * from ((${later}) union all (${revealed})) both_halves
    order by position ${sql.raw(order)} limit ${limit + 1} offset ${offset}`
}
