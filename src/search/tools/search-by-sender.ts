import { Type } from '@sinclair/typebox'
import { numbersIn, openCursor, pageOf, sealCursor } from '../../kernel/cursor.js'
import { defineTool } from '../../kernel/tool.js'
import * as messages from '../../messages/store/messages.js'
import * as sessions from '../../sessions/store/sessions.js'
import { Message, pageFields } from '../../kernel/answer-shapes.js'
import { AgentId, Cursor, input, Limit, output, SessionId } from '../../kernel/shapes.js'

const NAME = 'search_by_sender'

export const searchBySender = defineTool({
  name: NAME,
  title: 'Messages of an agent',
  description: 'The messages of one agent in a session that you may see, newest first.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    session_id: SessionId,
    sender: AgentId('The agent_id of the writer'),
    limit: Limit(20, 100),
    cursor: Cursor
  }),
  output: output({ messages: Type.Array(Message), sender: Type.String(), ...pageFields }),
  async handler({ session_id, sender, limit = 20, cursor }, { db, agent }) {
    const list = [NAME, session_id, sender]
    const before_seq = cursor === undefined ? undefined : numbersIn(openCursor(list, cursor), 1)[0]
    await sessions.readSessionOrThrow(db, agent, session_id)
    const rows = await messages.bySender(db, agent, session_id, { sender, before_seq, limit })
    const { items, ...rest } = pageOf(rows, limit, ({ seq }) => sealCursor(list, [seq]))
    return { messages: items, sender, ...rest }
  }
})
