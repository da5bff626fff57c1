import type { Static } from '@sinclair/typebox'
import type { Agent } from '../../kernel/agent.js'
import { present } from '../../agents/store/presence.js'
import type { Db } from '../../postgres/schema.js'
import * as sessions from '../store/sessions.js'
import { type Reading, readings } from '../../feed/store/unread.js'
import type { Session, SessionSummary } from '../../kernel/shapes.js'

type Row = Awaited<ReturnType<typeof sessions.need>>

/** A session as a viewer may know it: counts, times and names of senders cover what the viewer may see. */
export async function sessionView(db: Db, viewer: Agent, row: Row): Promise<Static<typeof Session>> {
  const [[summary], participants, here] = await Promise.all([
    sessionSummaries(db, viewer, [row]),
    sessions.participants(db, viewer, row.id),
    present(db, viewer, row.id)
  ])
  return { ...(summary as Static<typeof SessionSummary>), participants, present: here }
}

export async function sessionSummaries(
  db: Db,
  viewer: Agent,
  rows: readonly Row[]
): Promise<Array<Static<typeof SessionSummary>>> {
  const [statistics, read] = await Promise.all([
    sessions.statistics(db, viewer, rows),
    readings(
      db,
      viewer,
      rows.map(row => row.id)
    )
  ])
  return rows.map(({ last_seq, public_count, ...session }, i) => ({
    ...session,
    ...(statistics[i] as sessions.SessionStatistics),
    ...(read[i] as Reading)
  }))
}
