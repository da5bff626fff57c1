import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import { type MessageFilter, filtered, type ReadableMessages } from './message-filter.js'
import type { Db } from '../postgres/schema.js'
import { plannedOnce } from '../postgres/statements.js'
import { partsNotPublic, readableMessages, readableAt } from './visibility.js'

/**
 * Counts up to this number are exact (docs/semantics.md, Limits). Counting further would cost more than it is worth.
 */
export const EXACT_COUNT_MAX = 10_000
/**
 * If a session has more public messages than that, at most this many messages of each non-public part are counted: such
 * a part matters little beside them.
 */
const SAMPLE_MAX = 1000

export interface Count {
  count: number
  is_estimate: boolean
}

/** How many messages of each non-public part are counted exactly; larger numbers are estimates. */
export function countedOneByOne({ public_count }: { public_count: number }): number {
  return public_count >= EXACT_COUNT_MAX ? SAMPLE_MAX : EXACT_COUNT_MAX
}

interface Session {
  id: string
  last_seq: number
  public_count: number
}

/** The newest messages of a part that were counted, and from where on. */
export type Counted = [count: number, from: number | null]

/**
 * Counts the messages of a session that the viewer may see and that match the filter. The session row holds the number
 * of public messages, so without a filter only the others are counted.
 */
export async function countReadable(db: Db, viewer: Agent, session: Session, filter: MessageFilter): Promise<Count> {
  const query = sql<{ counted: Counted[] }>`select ${countingParts(
    countedParts(db, viewer, session.id, filter),
    sql.lit(isFiltered(filter) ? EXACT_COUNT_MAX : countedOneByOne(session))
  )} as counted`
  const { rows } = await (isFiltered(filter) ? query.execute(db) : plannedOnce(db, query))
  return countFrom(db, viewer, session, filter, rows[0]?.counted ?? [])
}

export function isFiltered(filter: MessageFilter): boolean {
  const { sender, visibility, parent_message_id, mentions } = filter
  return [sender, visibility, parent_message_id, mentions].some(value => value !== undefined)
}

/** What is counted one by one: with a filter all that matches, else what is not public, in its parts. */
export function countedParts(db: Db, viewer: Agent, session_id: string, filter: MessageFilter): ReadableMessages[] {
  return partsOf(readableMessages(db, viewer).where('m.session_id', '=', session_id), viewer, session_id, filter)
}

function partsOf(
  readable: ReadableMessages,
  viewer: Agent,
  session_id: string,
  filter: MessageFilter
): ReadableMessages[] {
  return isFiltered(filter)
    ? [filtered(readable, filter, viewer, session_id)]
    : partsNotPublic(viewer, sql`${session_id}`).map(part => readable.where(part))
}

/** SQL expression: a Counted for each part. @param most so many of each are exact; an expression without columns */
export function countingParts(parts: readonly ReadableMessages[], most: RawBuilder<unknown>): RawBuilder<Counted[]> {
  const counted = parts.map(part => {
    const newest = part
      .select('m.seq')
      .orderBy('m.seq', 'desc')
      .limit(sql<number>`${most} + 1`)
    return sql`(select json_build_array(count(*), min(seq)) from (${newest}) newest)`
  })
  return sql<Counted[]>`json_build_array(${sql.join(counted)})`
}

/** SQL expression: how many of each part are exact where there is no filter. @param public_count an expression too */
export function mostCounted(public_count: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`case when ${public_count} >= ${sql.lit(EXACT_COUNT_MAX)}
    then ${sql.lit(SAMPLE_MAX)} else ${sql.lit(EXACT_COUNT_MAX)} end`
}

/** The count that parts come to. Those that were not counted to their end are estimated by a sample of the session. */
export async function countFrom(
  db: Db,
  viewer: Agent,
  session: Session,
  filter: MessageFilter,
  counted: readonly Counted[]
): Promise<Count> {
  const most = isFiltered(filter) ? EXACT_COUNT_MAX : countedOneByOne(session)
  const beyond = counted.some(([count]) => count > most)
  const places = beyond ? placesOf(session) : []
  const parts = beyond ? partsOf(readableAt(db, viewer, session.id, places), viewer, session.id, filter) : []
  const counts = await Promise.all(
    counted.map(async ([count], i) =>
      count <= most ? count : sampled(db, session, places.length, parts[i] as ReadableMessages, count)
    )
  )
  const sum = (isFiltered(filter) ? 0 : session.public_count) + counts.reduce((a, b) => a + b, 0)
  // The sum of the estimates may exceed the number of messages.
  return { count: beyond ? Math.min(sum, Math.max(session.last_seq, ...counts)) : sum, is_estimate: beyond }
}

/** Places of a session that are looked at, evenly over all of it, and messages at each. */
const PLACES = 64
const PLACE = 10

/** The seqs that are looked at: some in a row at each place. */
function placesOf({ last_seq }: Session): number[] {
  const places = Math.min(PLACES, Math.ceil(last_seq / PLACE))
  return Array.from({ length: places }, (_, i) => Math.floor((i * last_seq) / places)).flatMap(before =>
    Array.from({ length: PLACE }, (_, n) => before + n + 1)
  )
}

/**
 * How many messages a part has, by how many of those at some places of the session are among it, and at least as many
 * as have been counted. (The newest ones alone say little: whoever has just joined wrote many of them, and few before.)
 * @param looked_at so many seqs
 * @param part of the messages at these seqs
 */
async function sampled(
  db: Db,
  { last_seq }: Session,
  looked_at: number,
  part: ReadableMessages,
  least: number
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (${part.select('m.seq')}) at`.execute(db)
  return Math.max(least, Math.min(last_seq, Math.round((Number(rows[0]?.count) / looked_at) * last_seq)))
}
