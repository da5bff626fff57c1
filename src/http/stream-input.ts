import { Type } from '@sinclair/typebox'
import { Allowed, Checked, Whole } from '../kernel/schema.js'

/** What the addresses of event streams take; the OpenAPI page shows the same. */
export const SessionEventsInput = Type.Object({
  session_id: Checked<string>(
    {
      type: 'string',
      pattern: '^session_[0-9a-f]{16}$',
      description: 'The session, as create_session or list_sessions named it'
    },
    value => typeof value === 'string' && value.length <= 300,
    { [Allowed]: 'a session_id as create_session returned it' }
  ),
  after_seq: Type.Optional(
    Whole({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Begin after this seq: 0 for everything. Absent: what comes from now on. A Last-Event-ID header wins'
    })
  )
})

export const WorkspaceEventsInput = Type.Object({})
