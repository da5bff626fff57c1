import type { Agent } from '../../src/kernel/agent.js'
import type { Message } from './corpus/messages.js'

/** Who searches: one agent among others, without admin, so that some messages are not for it. */
export const VIEWER: Agent = {
  workspace: 'default',
  agent_id: 'worker-7',
  agent_type: 'worker',
  permissions: ['read', 'write']
}

/** The rule of docs/semantics.md, Visibility, said once more: labels must not come from the code they judge. */
export function mayRead(message: Message): boolean {
  switch (message.visibility) {
    case 'public':
      return true
    case 'private':
      return message.sender === VIEWER.agent_id
    case 'agent_only':
      return message.sender_type === VIEWER.agent_type
    case 'admin_only':
      return false
  }
}
