import { Type } from '@sinclair/typebox'
import { memoryTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import * as memory from '../store/memory.js'
import { memoryResource, scopeOf } from '../memory-scope.js'
import { IdempotencyKey, input, MemoryKey, OptionalSessionId, output } from '../../kernel/shapes.js'

export const deleteMemory = defineTool({
  name: 'delete_memory',
  title: 'Forget a value',
  description:
    'Delete a value you stored with set_memory, in the same scope, also in a closed session; deleted says whether ' +
    'there was one.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({
    key: MemoryKey,
    session_id: OptionalSessionId('your global memory'),
    idempotency_key: IdempotencyKey
  }),
  output: output({ deleted: Type.Boolean() }),
  audit: ({ key, session_id }, { deleted }) => ({
    event_type: 'memory_deleted',
    session_id,
    resource: memoryResource(key),
    metadata: { deleted }
  }),
  affectedTopics: (_input, { deleted }, { agent }) => (deleted ? [memoryTopic(agent.workspace, agent.agent_id)] : []),
  async handler({ key, session_id }, { db, agent }) {
    return { deleted: await memory.remove(db, agent, await scopeOf(db, agent, session_id), key) }
  }
})
