import { Type } from '@sinclair/typebox'
import { refuseLongWait } from '../../feed/wait-until.js'
import { isAdmin } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { input, MessageId, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import type { WaitDeps } from '../../feed/wait.js'
import { readMessageOrThrow } from '../../messages/store/messages.js'
import { TIMEOUT_DEFAULT, TimeoutSeconds } from '../inbox-shapes.js'
import { waitForReply as waitFor } from '../reply-wait.js'
import { replyFields } from './ask.js'

export const waitForReply = (deps: WaitDeps) =>
  defineTool({
    name: 'wait_for_reply',
    title: 'Wait for an answer',
    description: 'Wait for the first answer to your message by those in its to, as when ask timed out.',
    permission: 'read',
    effect: 'reads',
    commits: 'none',
    input: input({ message_id: MessageId, timeout_seconds: TimeoutSeconds }),
    output: output({ message_id: Type.Integer(), ...replyFields }),
    waits_ms: ({ timeout_seconds = TIMEOUT_DEFAULT }) => timeout_seconds * 1000,
    async handler({ message_id, timeout_seconds = TIMEOUT_DEFAULT }, context) {
      refuseLongWait(context.caller, timeout_seconds, 'timeout_seconds')
      const { agent } = context
      const { id, session_id, seq, sender, to = [] } = await readMessageOrThrow(context.db, agent, message_id)
      if (sender !== agent.agent_id && !isAdmin(agent)) throw notYours(agent.permissions)
      if (to.length === 0) throw toNobody()
      return { message_id, ...(await waitFor({ id, session_id, seq, to }, timeout_seconds, context, deps)) }
    }
  })

function notYours(current_permissions: readonly string[]): AppError {
  return new AppError('PERMISSION_DENIED', 'Only the sender of a message, or an admin, may wait for its answer so.', {
    context: { required_permission: 'admin', current_permissions },
    suggestions: ['Follow its session with wait_for_messages']
  })
}

function toNobody(): AppError {
  return new AppError('INVALID_INPUT', 'The message is addressed to nobody whose answer could be waited for.', {
    context: { argument: 'message_id', given: 'a message without to', allowed: 'a message with to, such as of ask' },
    suggestions: ['Follow its session with wait_for_messages']
  })
}
