import { Type } from '@sinclair/typebox'
import { numbersIn, openCursor, sealCursor } from '../../kernel/cursor.js'
import { defineTool } from '../../kernel/tool.js'
import { exportPage } from '../store/session-export.js'
import * as sessions from '../../sessions/store/sessions.js'
import { Nullable } from '../../kernel/answer-shapes.js'
import { Cursor, input, Limit, output, SessionId } from '../../kernel/shapes.js'
import { endLine, headerLine, messageLine } from '../transcript.js'

const NAME = 'export_session'

export const exportSession = defineTool({
  name: NAME,
  title: 'Export a session',
  description:
    'Get a session with all its messages that you may see, as lines of JSON in their order: the session, each ' +
    'message, and last how many there were. It comes in pages: pass next_cursor as cursor until has_more is false, ' +
    'and write the ndjson of all pages one after the other into one file. What is written meanwhile is left out. ' +
    'import_session reads it.',
  permission: 'read',
  effect: 'reads',
  // For its audit row.
  commits: 'transaction',
  input: input({
    session_id: SessionId,
    limit: Limit(500, 1000),
    cursor: Cursor
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
    const session = await sessions.readSessionOrThrow(db, agent, session_id)
    const list = [NAME, session_id]
    // The seq that the export ends with, the last seq that it has written, and how many messages it has written.
    const [until, after, written] =
      cursor === undefined
        ? [session.last_seq, 0, 0]
        : (numbersIn(openCursor(list, cursor), 3) as [number, number, number])
    const { messages, has_more } = await exportPage(db, agent, session_id, after, until, limit)
    const total = written + messages.length
    return {
      session_id,
      ndjson: [
        ...(cursor === undefined ? [headerLine(session)] : []),
        ...messages.map(messageLine),
        ...(has_more ? [] : [endLine(total)])
      ].join(''),
      count: messages.length,
      has_more,
      next_cursor: has_more ? sealCursor(list, [until, messages.at(-1)?.seq ?? after, total]) : null
    }
  }
})
