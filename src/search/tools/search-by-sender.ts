import { Type } from '@sinclair/typebox'
import { defineTool } from '../../kernel/tool.js'
import * as messages from '../../messages/store/messages.js'
import * as sessions from '../../sessions/store/sessions.js'
import { Message } from '../../kernel/answer-shapes.js'
import { AgentId, input, Limit, output, SessionId } from '../../kernel/shapes.js'

export const searchBySender = defineTool({
  name: 'search_by_sender',
  title: 'Messages of an agent',
  description: 'The messages of one agent in a session that you may see, newest first.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({ session_id: SessionId, sender: AgentId('The agent_id of the writer'), limit: Limit(20, 100) }),
  output: output({ messages: Type.Array(Message), sender: Type.String(), count: Type.Integer() }),
  async handler({ session_id, sender, limit = 20 }, { db, agent }) {
    await sessions.readSessionOrThrow(db, agent, session_id)
    const found = await messages.bySender(db, agent, session_id, sender, limit)
    return { messages: found, sender, count: found.length }
  }
})
