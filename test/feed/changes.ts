import type { Agent } from '../../src/kernel/agent.js'
import { type Change, changesForMany } from '../../src/feed/store/feed.js'
import type { Db } from '../../src/postgres/schema.js'

/** One page for one viewer: the changes at the `limit` numbers after the cursor; undefined if there is no session. */
export async function changesSince(
  db: Db,
  viewer: Agent,
  session_id: string,
  after_seq: number,
  limit: number
): Promise<{ changes: readonly Change[]; cursor: number; has_more: boolean; head: number } | undefined> {
  const page = await changesForMany(db, [viewer], session_id, after_seq, after_seq + limit)
  return page && { changes: page.changesOf(0), cursor: page.cursor, has_more: page.head > page.cursor, head: page.head }
}
