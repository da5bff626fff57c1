import type { Agent } from '../core/agent.js'
import { type MessageFilter, filtered } from './message-filter.js'
import type { Db } from './schema.js'
import { readableMessages } from './visibility.js'

/** Up to here counts are exact (contract §5); beyond, counting on would cost more than the number is worth. */
export const EXACT_COUNT_MAX = 10_000

export interface Count { count: number, is_estimate: boolean }

/**
 * How many messages of a session the viewer may see and the filter lets through. Public ones are counted by the session
 * itself, so that without a filter only the others are looked at.
 */
export async function countReadable (db: Db, viewer: Agent, session: { id: string, last_seq: number, public_count: number }, filter: MessageFilter): Promise<Count> {
  const unfiltered = Object.values(filter).every(value => value === undefined)
  const rest = await countUpTo(db, viewer, session, filter, unfiltered)
  return unfiltered ? { count: session.public_count + rest.count, is_estimate: rest.is_estimate } : rest
}

async function countUpTo (db: Db, viewer: Agent, session: { id: string, last_seq: number }, filter: MessageFilter, notPublic: boolean): Promise<Count> {
  let matching = filtered(readableMessages(db, viewer).where('m.session_id', '=', session.id), filter)
  if (notPublic) matching = matching.where('m.visibility', '<>', 'public')
  const newest = matching.select('m.seq').orderBy('m.seq', 'desc').limit(EXACT_COUNT_MAX + 1)
  const { count, from } = await db.selectFrom(newest.as('newest'))
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min('seq').as('from')])
    .executeTakeFirstOrThrow()
  if (count <= EXACT_COUNT_MAX || from === null) return { count, is_estimate: false }
  // As dense in the whole session as among the newest ten thousand.
  const share = count / Math.max(1, session.last_seq - from + 1)
  return { count: Math.max(count, Math.round(Math.min(1, share) * session.last_seq)), is_estimate: true }
}
