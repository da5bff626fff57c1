import { Type } from '@sinclair/typebox'
import { isAdmin } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { input, MessageId, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { readMessageOrThrow } from '../../messages/store/messages.js'
import { Receipt } from '../inbox-shapes.js'
import { receiptsOf } from '../store/receipts.js'

export const getReceipts = defineTool({
  name: 'get_receipts',
  title: 'See what became of a message',
  description: 'Who in to has got, read, acknowledged and answered a message. For its sender and admins.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({ message_id: MessageId }),
  output: output({ receipts: Type.Array(Receipt) }),
  async handler({ message_id }, { db, agent }) {
    const message = await readMessageOrThrow(db, agent, message_id)
    if (message.sender !== agent.agent_id && !isAdmin(agent)) throw notTheSender(agent.permissions)
    return { receipts: await receiptsOf(db, agent, message) }
  }
})

function notTheSender(current_permissions: readonly string[]): AppError {
  return new AppError('PERMISSION_DENIED', 'Only the sender of a message, or an admin, may see its receipts.', {
    context: { required_permission: 'admin', current_permissions },
    suggestions: ['Ask the sender of the message']
  })
}
