import type { Static } from '@sinclair/typebox'
import type { Agent } from '../core/agent.js'
import type { Db } from '../db/schema.js'
import * as sessions from '../db/sessions.js'
import type { Session, SessionSummary } from './shapes.js'

type Row = Awaited<ReturnType<typeof sessions.need>>

/** A session as a viewer may know it: counts, times and names cover what the viewer may see. */
export async function sessionView (db: Db, viewer: Agent, row: Row): Promise<Static<typeof Session>> {
  const [summary, participants] = await Promise.all([sessionSummary(db, viewer, row), sessions.participants(db, viewer, row.id)])
  return { ...summary, participants }
}

export async function sessionSummary (db: Db, viewer: Agent, row: Row): Promise<Static<typeof SessionSummary>> {
  const { last_seq, public_count, ...session } = row
  return { ...session, ...await sessions.statistics(db, viewer, row) }
}
