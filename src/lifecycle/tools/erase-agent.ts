import { Type } from '@sinclair/typebox'
import { defineTool } from '../../kernel/tool.js'
import { memoryTopic } from '../../kernel/events.js'
import { beginErasure } from '../store/erasure-start.js'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import { AgentId, IdempotencyKey, input, output } from '../../kernel/shapes.js'

export const eraseAgent = defineTool({
  name: 'erase_agent',
  title: 'Erase an agent',
  description:
    'Erase what an agent has left: its tokens end, and its memory, read cursors and presence ' +
    'go at once; its messages are deleted in the background, as by delete_message. Sessions ' +
    'it opened, and memory that it shares, stay with a pseudonym in place of its name. The audit log keeps its ' +
    'rows, and tells when all is done. What others wrote about it stays. Who comes with the same ' +
    'agent_id later begins anew.',
  permission: 'admin',
  effect: 'replaces',
  repeatable: true,
  irreversible: () => true,
  commits: 'transaction',
  input: input({ agent_id: AgentId('The agent to erase'), idempotency_key: IdempotencyKey }),
  output: output({
    agent_id: Type.String(),
    pseudonym: Type.String({ description: 'What stands in its place from now on' }),
    revoked_tokens: Type.Integer(),
    deleted_memory: Type.Integer({ description: 'Values it had stored' })
  }),
  audit: ({ agent_id }, { pseudonym, revoked_tokens, deleted_memory }) => ({
    event_type: 'agent_erased',
    resource: `agent:${agent_id}`,
    metadata: { of_agent: agent_id, pseudonym, revoked_tokens, deleted_memory }
  }),
  affectedTopics: ({ agent_id }, _output, { agent }) => [memoryTopic(agent.workspace, agent_id)],
  async handler({ agent_id }, { db, agent, caller }) {
    needWholeWorkspace(agent)
    return { agent_id, ...(await beginErasure(db, agent.workspace, agent_id, caller.request_id)) }
  }
})
