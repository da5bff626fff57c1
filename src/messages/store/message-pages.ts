import { type RawBuilder, sql } from 'kysely'
import { type Agent, isAdmin, mayEnter } from '../../kernel/agent.js'
import { ITEMS_MAX } from '../../kernel/answer-size.js'
import { type MessageFilter, filtered, type ReadableMessages } from '../../visibility/message-filter.js'
import { JsonText } from '../../kernel/json-text.js'
import { messageJson } from './message-json.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { sessionNotFound } from '../../sessions/store/sessions.js'
import {
  type Count,
  type Counted,
  countedParts,
  countFrom,
  countingParts,
  EXACT_COUNT_MAX,
  isFiltered,
  mostCounted
} from '../../visibility/message-counts.js'
import { isAddressee, readableMessage, readableMessages, visibleTo } from '../../visibility/visibility.js'

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

/** A page, and what is told beside it of the session and of what matches in all of it. */
export interface CountedPage extends Page {
  total: Count
}

interface Row {
  head: number
  public_count: number
  found: number
  shown: number
  highest: number | null
  json: string | null
  /** Of those in the page, the messages that are addressed to the viewer. */
  to_viewer: number[] | null
  counted: Counted[] | null
}

/**
 * A page of a session's messages as the viewer may see them now, and the session's head in the same snapshot: one
 * statement, so that no message can be committed between the two and be skipped by the next cursor.
 */
export async function page(db: Db, viewer: Agent, session_id: string, request: PageRequest): Promise<Page> {
  return pageOf(await read(db, viewer, session_id, request, false))
}

/**
 * The same with a count, still one statement unless the count is an estimate.
 * @throws AppError SESSION_NOT_FOUND
 */
export async function countedPage(
  db: Db,
  viewer: Agent,
  session_id: string,
  request: PageRequest
): Promise<CountedPage> {
  const row = mayEnter(viewer, session_id) ? await read(db, viewer, session_id, request, true) : undefined
  if (row === undefined) throw sessionNotFound()
  const session = { id: session_id, last_seq: row.head, public_count: row.public_count }
  return { ...pageOf(row), total: await countFrom(db, viewer, session, request, row.counted ?? []) }
}

function pageOf(row: Row | undefined): Page {
  const { head = 0, found = 0, shown = 0, highest = null, json = null, to_viewer } = row ?? {}
  return {
    messages: new JsonText(`[${json ?? ''}]`, to_viewer ?? []),
    count: shown,
    has_more: found > shown,
    highest,
    head
  }
}

type Values = PageRequest & Pick<Agent, 'workspace' | 'agent_id' | 'agent_type' | 'sessions'> & { session_id: string }

/** The values of these decide the text of the statement; of all others, whether they are there. */
const LITERALS = new Set(['visibility', 'order', 'shown', 'permissions'])

/** A text for each kind of viewer and request: it is put together and planned once. */
const statements = new Map<string, (db: Db, values: Values) => Promise<Row[]>>()

async function read(
  db: Db,
  viewer: Agent,
  session_id: string,
  request: PageRequest,
  counted: boolean
): Promise<Row | undefined> {
  const { sender, visibility, parent_message_id, mentions, after_seq, before_seq, order, shown = order } = request
  // Who is mentioned is a pattern made of the name.
  if (mentions !== undefined) {
    const { rows } = await statementOf(db, viewer, session_id, request, counted).execute(db)
    return rows[0]
  }
  const given = [sender, parent_message_id, after_seq, before_seq, viewer.sessions].map(value => value !== undefined)
  const key = [...given, isAdmin(viewer), visibility, order, shown, counted].join()
  let statement = statements.get(key)
  if (statement === undefined) {
    const build = (own: Db, places: Values) => {
      // A value that is there has a place; one that is not stays away.
      const of = <T extends object>(values: T): T =>
        Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            value === undefined || LITERALS.has(name) ? value : places[name as keyof Values]
          ])
        ) as T
      return statementOf(own, of(viewer), places.session_id, of(request), counted)
    }
    // With a filter the best plan depends on how much matches.
    statement = defineStatement<Values, Row>('messages.page', build, isFiltered(request) ? undefined : 'once')
    statements.set(key, statement)
  }
  const { workspace, agent_id, agent_type, sessions } = viewer
  const [row] = await statement(db, { ...request, workspace, agent_id, agent_type, sessions, session_id })
  return row
}

function statementOf(
  db: Db,
  viewer: Agent,
  session_id: string,
  request: PageRequest,
  counted: boolean
): RawBuilder<Row> {
  const { order, limit, offset, after_seq, before_seq, shown = order } = request
  const toViewer = idIfTo(viewer)
  let readable = filtered(
    readableMessages(db, viewer).where('m.session_id', '=', session_id),
    request,
    viewer,
    session_id
  )
  if (before_seq !== undefined) readable = readable.where('m.seq', '<', before_seq)

  const written = readable
    .select(['m.seq as position', messageJson.as('json'), toViewer.as('to_viewer')])
    .orderBy('m.seq', order)
  const positioned =
    after_seq === undefined
      ? sql`${written.limit(sql<number>`${limit}::int + 1`).offset(sql<number>`${offset}::bigint`)}`
      : since(db, viewer, session_id, request, after_seq, readable)
  const counting = countingParts(
    countedParts(db, viewer, session_id, request),
    isFiltered(request) ? sql.lit(EXACT_COUNT_MAX) : sql`(select ${mostCounted(sql.ref('public_count'))} from session)`
  )
  return sql<Row>`
    with session as materialized (
      select last_seq, public_count from sessions where workspace = ${viewer.workspace} and id = ${session_id})
    select session.last_seq as head, session.public_count, page.*, ${counted ? counting : sql`null`} as counted
    from session cross join (
      select count(*)::int as found, (count(*) filter (where fits))::int as shown,
        max(position) filter (where fits) as highest,
        string_agg(json, ',' order by position ${sql.raw(shown)}) filter (where fits) as json,
        array_agg(to_viewer) filter (where fits and to_viewer is not null) as to_viewer
      from (select *, n <= ${limit}::int and (n = 1 or bytes <= ${sql.lit(ITEMS_MAX)}) as fits from (
        select *, row_number() over taken as n, sum(octet_length(json) + 1) over taken as bytes
        from (${positioned}) either
        window taken as (order by position ${sql.raw(order)} rows unbounded preceding)) numbered) sized
    ) page`
}

/** SQL expression: the id of a message that is addressed to the viewer, else null. */
function idIfTo({ agent_id, agent_type }: Agent): RawBuilder<number | null> {
  return sql<number | null>`case when m.addressees <> '{}'
    and ${isAddressee(sql.ref('m.addressees'), agent_id, agent_type)} then m.id end`
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
  request: PageRequest,
  after_seq: number,
  readable: ReadableMessages
) {
  const { order, limit, offset, before_seq } = request
  const toViewer = idIfTo(viewer)
  // The messages that changed are looked up by their ids: without statistics PostgreSQL would read the whole session.
  const changed = readableMessage(db, viewer, sql`c.message_id`)
    .where(sql<boolean>`not ${visibleTo(viewer, 'm', 'c.from_visibility')}`)
    .where(visibleTo(viewer, 'm', 'c.to_visibility'))
    .select('m.id')
  const shown = sql`
    select m.id, max(c.seq) as seq from session_changes c cross join lateral (${changed}) m
    where c.workspace = ${viewer.workspace} and c.session_id = ${session_id} and c.seq > ${after_seq}
      and c.message_id is not null
    group by m.id`
  const most = sql<number>`${limit}::int + 1 + ${offset}::bigint`
  const later = readable
    .where('m.seq', '>', after_seq)
    .where(sql<boolean>`not (m.id = any(array(select id from shown)))`)
    .select(['m.seq as position', messageJson.as('json'), toViewer.as('to_viewer')])
    .orderBy('m.seq', order)
    .limit(most)
  const one = filtered(readableMessage(db, viewer, sql`shown.id`), request, viewer, session_id).select([
    messageJson.as('json'),
    toViewer.as('to_viewer')
  ])
  const revealed = sql`
    select shown.seq as position, m.json, m.to_viewer from shown cross join lateral (${one}) m
    where shown.seq < ${before_seq ?? Number.MAX_SAFE_INTEGER}
    order by shown.seq ${sql.raw(order)} limit ${most}`
  return sql`
    with shown as materialized (${shown})
    select * from ((${later}) union all (${revealed})) both_halves
    order by position ${sql.raw(order)} limit ${limit}::int + 1 offset ${offset}::bigint`
}
