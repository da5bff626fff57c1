import { Type } from '@sinclair/typebox'
import { defineTool } from '../../kernel/tool.js'
import * as messages from '../../messages/store/messages.js'
import * as sessions from '../../sessions/store/sessions.js'
import { Message, Time } from '../../kernel/answer-shapes.js'
import { DateTime, input, Limit, output, SessionId } from '../../kernel/shapes.js'
import { timeRange } from '../../kernel/time-range.js'

export const searchByTimerange = defineTool({
  name: 'search_by_timerange',
  title: 'Messages of a time',
  description:
    'The messages of a session written in a range of time, both ends included, that you may see; oldest first. A date as end_time includes that whole day.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    session_id: SessionId,
    start_time: DateTime('The beginning'),
    end_time: DateTime('The end'),
    limit: Limit(50, 200)
  }),
  output: output({
    messages: Type.Array(Message),
    timerange: Type.Object({ start: Time, end: Time }),
    count: Type.Integer()
  }),
  async handler({ session_id, start_time, end_time, limit = 50 }, { db, agent }) {
    const { start, end } = timeRange(start_time, end_time)
    await sessions.readSessionOrThrow(db, agent, session_id)
    const found = await messages.byTime(db, agent, session_id, start, end, limit)
    return { messages: found, timerange: { start, end }, count: found.length }
  }
})
