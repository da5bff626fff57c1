import { Type } from '@sinclair/typebox'
import { AppError } from '../../kernel/errors.js'
import { all, exactlyOne, notBoth } from '../../kernel/page-rules.js'
import { memoryTopic } from '../../kernel/events.js'
import {
  IdempotencyKey,
  input,
  MEMORY_KEY_MAX,
  MemoryKey,
  OptionalSessionId,
  output,
  Text
} from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { memoryResource, whereToDelete } from '../memory-scope.js'
import { IfVersion } from '../memory-shapes.js'
import { OptionalNamespace } from '../namespace.js'
import { remove, removePrefix } from '../store/memory-removal.js'

export const deleteMemory = defineTool({
  name: 'delete_memory',
  title: 'Forget values',
  description:
    'Delete a value that was stored with set_memory, or all whose keys begin with prefix, in the same place, also in ' +
    'a closed session; count says how many there were.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  // One value is easily stored again.
  irreversible: ({ prefix }) => prefix !== undefined && prefix !== null,
  commits: 'transaction',
  input: input(
    {
      key: Type.Optional(MemoryKey),
      prefix: Type.Optional(Text(1, MEMORY_KEY_MAX, 'Delete all values whose keys begin with exactly this')),
      session_id: OptionalSessionId('global'),
      namespace: OptionalNamespace('Shared memory'),
      if_version: IfVersion('With key: only if it has this version; 0: it must be absent'),
      idempotency_key: IdempotencyKey
    },
    all(exactlyOne('key', 'prefix'), notBoth('prefix', 'if_version'), notBoth('session_id', 'namespace'))
  ),
  output: output({ deleted: Type.Boolean(), count: Type.Integer({ description: 'How many values were there' }) }),
  audit: ({ key, session_id, namespace }, { deleted, count }) => ({
    event_type: 'memory_deleted',
    session_id,
    ...(key !== undefined && { resource: memoryResource(key) }),
    metadata: { deleted, count, ...(namespace !== undefined && { namespace }) }
  }),
  affectedTopics: ({ namespace }, { deleted }, { agent }) =>
    deleted && namespace === undefined ? [memoryTopic(agent.workspace, agent.agent_id)] : [],
  async handler({ key, prefix, session_id, namespace, if_version }, { db, agent }) {
    if ((key === undefined) === (prefix === undefined)) throw notOne(key === undefined ? 'neither' : 'both')
    if (prefix !== undefined && if_version !== undefined) throw notOne('if_version with prefix')
    const where = await whereToDelete(db, agent, { session_id, namespace })
    const count =
      key === undefined
        ? await removePrefix(db, agent.workspace, where, prefix as string)
        : Number(await remove(db, agent.workspace, where, key, if_version))
    return { deleted: count > 0, count }
  }
})

function notOne(given: string): AppError {
  return new AppError('INVALID_INPUT', 'Exactly one of key and prefix says what to delete.', {
    context: { argument: 'key', given, allowed: 'key, with if_version or without; or prefix' },
    suggestions: ['Pass key to delete one value', 'Or pass prefix to delete all whose keys begin with it']
  })
}
