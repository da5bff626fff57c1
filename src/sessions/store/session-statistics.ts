import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { SessionStatistics } from '../../kernel/answer-shapes.js'
import type { Db } from '../../postgres/schema.js'
import { plannedOnce } from '../../postgres/statements.js'
import { countedOneByOne, countReadable } from '../../visibility/message-counts.js'
import { partsNotPublic, readableMessages } from '../../visibility/visibility.js'

type Counted = { id: string; created_at: string; last_seq: number; public_count: number }

/**
 * For each session, in the given order: how many messages the viewer may see, and when the last of them was written, or
 * else when the session was created. One query reads all sessions.
 */
export async function statistics(db: Db, viewer: Agent, sessions: readonly Counted[]): Promise<SessionStatistics[]> {
  if (sessions.length === 0) return []
  const readable = readableMessages(db, viewer).where('m.session_id', '=', sql<string>`wanted.id`)
  const others = partsNotPublic(viewer, sql.ref('wanted.id')).map(
    part =>
      sql`(${readable
        .where(part)
        .select('m.seq')
        .limit(sql<number>`wanted.most + 1`)})`
  )
  const last = readable.select('m.timestamp').orderBy('m.seq', 'desc').limit(1)
  const query = sql<{ others: number; last: string | null }>`
    select (select count(*) from (${sql.join(others, sql` union all `)}) other) as others, (${last}) as last
    from unnest(${sessions.map(session => session.id)}::text[], ${sessions.map(countedOneByOne)}::int[]) with
      ordinality as wanted (id, most, n) order by wanted.n`
  const { rows } = await plannedOnce(db, query)
  return Promise.all(
    sessions.map(async (session, i) => {
      const { others, last } = rows[i] as { others: number; last: string | null }
      // A second query is needed only if there are more messages than the first one counts.
      const count =
        others > countedOneByOne(session)
          ? await countReadable(db, viewer, session, {})
          : { count: session.public_count + others, is_estimate: false }
      return {
        message_count: count.count,
        ...(count.is_estimate && { message_count_is_estimate: true }),
        last_activity: last ?? session.created_at
      }
    })
  )
}

/** Most senders in a result. */
const PARTICIPANTS_MAX = 1000

/** The senders of messages that the viewer may see, ordered by agent_id. A loose index scan, from sender to sender. */
export async function participants(db: Db, viewer: Agent, session_id: string): Promise<string[]> {
  const next = readableMessages(db, viewer)
    .where('m.session_id', '=', session_id)
    .select('m.sender')
    .orderBy('m.sender')
    .limit(1)
  const query = sql<{ sender: string }>`
    with recursive senders as (
      (select * from (${next}) first)
      union all
      select following.sender from senders, lateral
        (${next.where('m.sender', '>', sql.ref<string>('senders.sender'))}) following
    )
    select sender from senders limit ${PARTICIPANTS_MAX}`
  const { rows } = await plannedOnce(db, query)
  return rows.map(row => row.sender)
}
