import { callTool } from '../../kernel/call.js'
import { answerOf } from '../failure.js'
import { json, type Resource } from './resource.js'

export const session: Resource = {
  name: 'session',
  title: 'A session',
  description: 'A session, its newest messages that you may see (newest first), and its statistics',
  mimeType: 'application/json',
  uri: 'session://{session_id}',
  async read({ session_id }, caller, app) {
    const answer = answerOf(await callTool('get_session', { session_id }, caller, app.kernel))
    const { session, messages } = answer as { session: Record<string, unknown>; messages: unknown[] }
    const { message_count, message_count_is_estimate, participants, last_activity } = session
    return json({
      session,
      messages,
      statistics: {
        message_count,
        message_count_is_estimate,
        messages_shown: messages.length,
        participants,
        last_activity
      }
    })
  }
}
