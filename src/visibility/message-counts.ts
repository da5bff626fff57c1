import { sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import { type MessageFilter, filtered, type ReadableMessages } from './message-filter.js'
import type { Db } from '../postgres/schema.js'
import { plannedOnce } from '../postgres/statements.js'
import { partsNotPublic, readableMessages } from './visibility.js'

/**
 * Up to here counts are exact (docs/semantics.md, Limits); beyond, counting on would cost more than the number is
 * worth.
 */
export const EXACT_COUNT_MAX = 10_000
/**
 * Of each part of what is not public so many are counted where the public ones are beyond that alone: the part is small
 * beside them.
 */
const SAMPLE = 1000

export interface Count {
  count: number
  is_estimate: boolean
}

/** How many messages of each part of what is not public are counted one by one; beyond, their number is an estimate. */
export function countedOneByOne({ public_count }: { public_count: number }): number {
  return public_count >= EXACT_COUNT_MAX ? SAMPLE : EXACT_COUNT_MAX
}

/**
 * How many messages of a session the viewer may see and the filter lets through. Public ones are counted by the session
 * itself, so that without a filter only the others are looked at.
 */
export async function countReadable(
  db: Db,
  viewer: Agent,
  session: { id: string; last_seq: number; public_count: number },
  filter: MessageFilter
): Promise<Count> {
  const readable = readableMessages(db, viewer).where('m.session_id', '=', session.id)
  if (Object.values(filter).some(value => value !== undefined))
    return together(db, session, [filtered(readable, filter)], EXACT_COUNT_MAX)
  const rest = await together(
    db,
    session,
    partsNotPublic(viewer).map(part => readable.where(part)),
    countedOneByOne(session),
    true
  )
  const count = session.public_count + rest.count
  // Estimates of its parts may together be more than there is.
  return { count: rest.is_estimate ? Math.min(count, session.last_seq) : count, is_estimate: rest.is_estimate }
}

/** How many messages there are in all parts, in one statement. */
async function together(
  db: Db,
  session: { last_seq: number },
  parts: ReadableMessages[],
  most: number,
  planned_once = false
): Promise<Count> {
  const counted = parts.map(part => {
    const newest = part
      .select('m.seq')
      .orderBy('m.seq', 'desc')
      .limit(most + 1)
    return sql`(select count(*) as count, min(seq) as from from (${newest}) newest)`
  })
  const query = sql<{ count: number; from: number | null }>`select * from (${sql.join(counted, sql` union all `)}) part`
  const { rows } = await (planned_once ? plannedOnce(db, query) : query.execute(db))
  const counts = rows.map(row => countOf(session, row, most))
  return {
    count: counts.reduce((sum, { count }) => sum + count, 0),
    is_estimate: counts.some(({ is_estimate }) => is_estimate)
  }
}

function countOf(
  session: { last_seq: number },
  { count, from }: { count: number; from: number | null },
  most: number
): Count {
  if (count <= most || from === null) return { count, is_estimate: false }
  // As dense in the whole session as among the newest of them.
  const share = count / Math.max(1, session.last_seq - from + 1)
  return { count: Math.max(count, Math.round(Math.min(1, share) * session.last_seq)), is_estimate: true }
}
