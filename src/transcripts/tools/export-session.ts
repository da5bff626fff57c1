import { Type } from '@sinclair/typebox'
import { AppError } from '../../kernel/errors.js'
import { Allowed, Checked } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { exportPage } from '../store/session-export.js'
import * as sessions from '../../sessions/store/sessions.js'
import { input, Limit, Nullable, output, SessionId } from '../../kernel/shapes.js'
import { endLine, headerLine, messageLine } from '../transcript.js'

/** How far an export has come: the seq it ends with, the one it has told, and how many messages those were. */
interface ExportCursor {
  until: number
  after: number
  told: number
}

const CURSOR = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/

export const exportSession = defineTool({
  name: 'export_session',
  title: 'Export a session',
  description:
    'Get a session with all its messages that you may see, as lines of JSON in their order: the session, each message, and last how many there were. It comes in pages: pass next_cursor as cursor until has_more is false, and write the ndjson of all pages one after the other into one file. What is written meanwhile is left out. import_session reads it.',
  permission: 'read',
  effect: 'reads',
  // For its audit row.
  commits: 'transaction',
  input: input({
    session_id: SessionId,
    limit: Limit(500, 1000),
    cursor: Type.Optional(
      Checked<string>(
        { type: 'string', maxLength: 50, description: 'next_cursor of the previous answer, for the page after it' },
        value => typeof value === 'string' && value.length <= 50,
        { [Allowed]: 'next_cursor of an earlier answer' }
      )
    )
  }),
  output: output({
    session_id: Type.String(),
    ndjson: Type.String({ description: 'Lines, each ended by a line break' }),
    count: Type.Integer({ description: 'Messages in this answer' }),
    has_more: Type.Boolean(),
    next_cursor: Nullable(Type.String())
  }),
  audit: ({ session_id }, { count }) => ({
    event_type: 'session_exported',
    session_id,
    resource: `session:${session_id}`,
    metadata: { messages: count }
  }),
  async handler({ session_id, limit = 500, cursor }, { db, agent }) {
    const session = await sessions.need(db, agent, session_id)
    const { until, after, told } =
      cursor === undefined ? { until: session.last_seq, after: 0, told: 0 } : placeOf(cursor)
    const { messages, has_more } = await exportPage(db, agent, session_id, after, until, limit)
    const total = told + messages.length
    return {
      session_id,
      ndjson: [
        ...(cursor === undefined ? [headerLine(session)] : []),
        ...messages.map(messageLine),
        ...(has_more ? [] : [endLine(total)])
      ].join(''),
      count: messages.length,
      has_more,
      next_cursor: has_more ? `${until}.${messages.at(-1)?.seq ?? after}.${total}` : null
    }
  }
})

function placeOf(cursor: string): ExportCursor {
  const [, until, after, told] = CURSOR.exec(cursor) ?? []
  if (told === undefined) {
    throw new AppError('INVALID_INPUT', "The argument 'cursor' is not a next_cursor of this tool.", {
      context: { argument: 'cursor', given: 'another text', allowed: 'next_cursor of an earlier answer' },
      suggestions: ['Pass next_cursor of the previous answer unchanged, or leave cursor out to start at the beginning']
    })
  }
  return { until: Number(until), after: Number(after), told: Number(told) }
}
