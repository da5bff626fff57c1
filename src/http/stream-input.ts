import { Type } from '@sinclair/typebox'
import { Seq, SessionId } from '../kernel/shapes.js'

/** What the addresses of event streams take; the OpenAPI page shows the same. */
export const SessionEventsInput = Type.Object({
  session_id: SessionId,
  after_seq: Type.Optional(
    Seq('Begin after this seq: 0 for everything. Absent: what comes from now on. A Last-Event-ID header wins')
  )
})

export const WorkspaceEventsInput = Type.Object({})
