import { Type } from '@sinclair/typebox'
import { openCursor, pageOf, sealCursor, timeAndId } from '../../kernel/cursor.js'
import { defineTool } from '../../kernel/tool.js'
import * as messages from '../../messages/store/messages.js'
import * as sessions from '../../sessions/store/sessions.js'
import { Message, pageFields, Time } from '../../kernel/answer-shapes.js'
import { Cursor, DateTime, input, Limit, output, SessionId } from '../../kernel/shapes.js'
import { timeRange } from '../../kernel/time-range.js'

const NAME = 'search_by_timerange'

export const searchByTimerange = defineTool({
  name: NAME,
  title: 'Messages of a time',
  description:
    'The messages of a session written in a range of time, both ends included, that you may see; oldest first. ' +
    'A date as end_time includes that whole day.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    session_id: SessionId,
    start_time: DateTime('The beginning'),
    end_time: DateTime('The end'),
    limit: Limit(50, 200),
    cursor: Cursor
  }),
  output: output({
    messages: Type.Array(Message),
    timerange: Type.Object({ start: Time, end: Time }),
    ...pageFields
  }),
  async handler({ session_id, start_time, end_time, limit = 50, cursor }, { db, agent }) {
    const { start, end } = timeRange(start_time, end_time)
    const list = [NAME, session_id, start, end]
    const place = cursor === undefined ? undefined : timeAndId(openCursor(list, cursor), 'number')
    const after = place && { timestamp: place.time, seq: place.id }
    await sessions.readSessionOrThrow(db, agent, session_id)
    const rows = await messages.byTime(db, agent, session_id, { start, end, after, limit })
    const { items, ...rest } = pageOf(rows, limit, ({ timestamp, seq }) => sealCursor(list, [timestamp, seq]))
    return { messages: items, timerange: { start, end }, ...rest }
  }
})
