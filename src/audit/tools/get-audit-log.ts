import { Type } from '@sinclair/typebox'
import { openCursor, pageOf, sealCursor, timeAndId } from '../../kernel/cursor.js'
import { EmptyIsAbsent } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import * as audit from '../store/rows.js'
import { AnyObject, Nullable, pageFields, Time } from '../../kernel/answer-shapes.js'
import { AgentId, Cursor, DateTime, input, Limit, OptionalSessionId, output, Text } from '../../kernel/shapes.js'
import { timeRange } from '../../kernel/time-range.js'

const EVENT_TYPE_MAX = 100

const NAME = 'get_audit_log'

export const getAuditLog = defineTool({
  name: NAME,
  title: 'Read the audit log',
  description:
    'For admins: what was written, by whom and when, and which credentials and permissions ' +
    'were refused; newest first. Holds ids, never content. An admin limited to sessions sees ' +
    'what was done in these.',
  permission: 'admin',
  effect: 'reads',
  commits: 'transaction',
  input: input({
    session_id: OptionalSessionId('all that you may see'),
    agent_id: Type.Optional(AgentId('Only what this agent did')),
    event_type: Type.Optional(
      Text(0, EVENT_TYPE_MAX, 'Only events of this type, such as message_added', { [EmptyIsAbsent]: true })
    ),
    start_time: Type.Optional(DateTime('Only events from then on')),
    end_time: Type.Optional(DateTime('Only events up to then')),
    limit: Limit(100, 1000),
    cursor: Cursor
  }),
  output: output({
    entries: Type.Array(
      Type.Object({
        id: Type.Integer(),
        timestamp: Time,
        event_type: Type.String(),
        agent_id: Nullable(Type.String()),
        session_id: Nullable(Type.String()),
        action: Type.String({ description: 'The tool that was called' }),
        resource: Nullable(Type.String()),
        result: Type.String(),
        request_id: Type.String(),
        metadata: AnyObject
      })
    ),
    ...pageFields
  }),
  audit: ({ session_id, agent_id, event_type }) => ({
    event_type: 'audit_read',
    metadata: Object.fromEntries(
      Object.entries({ session_id, of_agent: agent_id, event_type }).filter(([, value]) => value !== undefined)
    )
  }),
  async handler({ session_id, agent_id, event_type, start_time, end_time, limit = 100, cursor }, { db, agent }) {
    const { start, end } = timeRange(start_time, end_time)
    const list = [NAME, session_id, agent_id, event_type, start, end]
    const place = cursor === undefined ? undefined : timeAndId(openCursor(list, cursor), 'number')
    const rows = await audit.list(db, {
      workspace: agent.workspace,
      sessions: agent.sessions,
      session_id,
      agent_id,
      event_type,
      start_time: start,
      end_time: end,
      limit,
      after: place && { timestamp: place.time, id: place.id }
    })
    const { items, ...page } = pageOf(rows, limit, ({ timestamp, id }) => sealCursor(list, [timestamp, id]))
    return { entries: items, ...page }
  }
})
