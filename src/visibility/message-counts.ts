import { sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import { type MessageFilter, filtered, type ReadableMessages } from './message-filter.js'
import type { Db } from '../postgres/schema.js'
import { plannedOnce } from '../postgres/statements.js'
import { partsNotPublic, readableMessages } from './visibility.js'

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

/**
 * Counts the messages of a session that the viewer may see and that match the filter. The session row holds the number
 * of public messages, so without a filter only the others are counted.
 */
export async function countReadable(
  db: Db,
  viewer: Agent,
  session: { id: string; last_seq: number; public_count: number },
  filter: MessageFilter
): Promise<Count> {
  const readable = readableMessages(db, viewer).where('m.session_id', '=', session.id)
  if (Object.values(filter).some(value => value !== undefined))
    return countParts(db, session, [filtered(readable, filter)], EXACT_COUNT_MAX)
  const others = await countParts(
    db,
    session,
    partsNotPublic(viewer).map(part => readable.where(part)),
    countedOneByOne(session),
    true
  )
  const count = session.public_count + others.count
  // The sum of the estimates may exceed the number of messages.
  return { count: others.is_estimate ? Math.min(count, session.last_seq) : count, is_estimate: others.is_estimate }
}

/** Counts the messages of all parts in one query. */
async function countParts(
  db: Db,
  session: { last_seq: number },
  parts: ReadableMessages[],
  limit: number,
  planned_once = false
): Promise<Count> {
  const counted = parts.map(part => {
    const newest = part
      .select('m.seq')
      .orderBy('m.seq', 'desc')
      .limit(limit + 1)
    return sql`(select count(*) as count, min(seq) as from from (${newest}) newest)`
  })
  const query = sql<{ count: number; from: number | null }>`select * from (${sql.join(counted, sql` union all `)}) part`
  const { rows } = await (planned_once ? plannedOnce(db, query) : query.execute(db))
  const counts = rows.map(row => countOf(session, row, limit))
  return {
    count: counts.reduce((sum, { count }) => sum + count, 0),
    is_estimate: counts.some(({ is_estimate }) => is_estimate)
  }
}

function countOf(
  session: { last_seq: number },
  { count, from }: { count: number; from: number | null },
  limit: number
): Count {
  if (count <= limit || from === null) return { count, is_estimate: false }
  // Extrapolate: assume the density of the newest messages for the whole session.
  const share = count / Math.max(1, session.last_seq - from + 1)
  return { count: Math.max(count, Math.round(Math.min(1, share) * session.last_seq)), is_estimate: true }
}
