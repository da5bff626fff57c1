import type { Static } from '@sinclair/typebox'
import { present } from '../../agents/store/presence.js'
import { readings } from '../../feed/store/unread.js'
import type { Agent } from '../../kernel/agent.js'
import type { Reading, Session, SessionStatistics, SessionSummary } from '../../kernel/answer-shapes.js'
import type { Db } from '../../postgres/schema.js'
import { participants, statistics } from '../store/session-statistics.js'
import { readSessionOrThrow, type SessionWithHead } from '../store/sessions.js'

/**
 * A session as a viewer may know it: counts, times and names of senders cover what the viewer may see.
 * @throws AppError SESSION_NOT_FOUND
 */
export async function sessionView(db: Db, viewer: Agent, session_id: string): Promise<Static<typeof Session>> {
  const row = await readSessionOrThrow(db, viewer, session_id)
  const [[summary], senders, here] = await Promise.all([
    sessionSummaries(db, viewer, [row]),
    participants(db, viewer, row.id),
    present(db, viewer, row.id)
  ])
  return { ...(summary as Static<typeof SessionSummary>), participants: senders, present: here }
}

export async function sessionSummaries(
  db: Db,
  viewer: Agent,
  rows: readonly SessionWithHead[]
): Promise<Array<Static<typeof SessionSummary>>> {
  const ids = rows.map(({ id }) => id)
  const [counted, read] = await Promise.all([statistics(db, viewer, rows), readings(db, viewer, ids)])
  return rows.map(({ last_seq, public_count, ...session }, i) => ({
    ...session,
    ...(counted[i] as SessionStatistics),
    ...(read[i] as Reading)
  }))
}
