import { callTool } from '../../kernel/call.js'
import { answerOf } from '../failure.js'
import { json, type Resource } from './resource.js'

export const sessionMessages: Resource = {
  name: 'session-messages',
  title: 'The newest messages of a session',
  description:
    'The newest messages of a session that you may see, as many as limit says, in the order they were written',
  mimeType: 'application/json',
  uri: 'session://{session_id}/messages/{limit}',
  async read({ session_id, limit }, caller, app) {
    const { success, ...answer } = answerOf(await callTool('get_messages', { session_id, limit }, caller, app.kernel))
    return json(answer)
  }
}
