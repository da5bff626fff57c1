import { Type } from '@sinclair/typebox'
import { defineTool } from '../../kernel/tool.js'
import { page } from '../../messages/store/message-pages.js'
import { Message, Session } from '../../kernel/answer-shapes.js'
import { input, Limit, output, SessionId } from '../../kernel/shapes.js'
import { sessionView } from './session-view.js'

export const getSession = defineTool({
  name: 'get_session',
  title: 'Look at a session',
  description: 'A session: its newest messages first, who takes part, and how many messages you may see.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({ session_id: SessionId, message_limit: Limit(50, 200, 0) }),
  output: output({
    session: Session,
    messages: Type.Array(Message),
    message_count: Type.Integer({ description: 'The same as session.message_count' }),
    message_count_is_estimate: Type.Optional(Type.Boolean())
  }),
  async handler({ session_id, message_limit = 50 }, { db, agent }) {
    const [session, newest] = await Promise.all([
      sessionView(db, agent, session_id),
      page(db, agent, session_id, { limit: message_limit, offset: 0, order: 'desc' })
    ])
    const { message_count, message_count_is_estimate } = session
    return {
      session,
      messages: newest.messages,
      message_count,
      ...(message_count_is_estimate && { message_count_is_estimate })
    }
  }
})
