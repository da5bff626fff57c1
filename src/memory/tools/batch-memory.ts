import { Type } from '@sinclair/typebox'
import { AnyObject, Nullable, Time } from '../../kernel/answer-shapes.js'
import { memoryTopic } from '../../kernel/events.js'
import { JsonText } from '../../kernel/json-text.js'
import { AnyValueField } from '../../kernel/schema.js'
import { IdempotencyKey, input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import type { Quotas } from '../../limits/quotas.js'
import { refuseMuchMemory } from '../../limits/store/usage.js'
import { checkOperations, Operation } from '../operations.js'
import { runOperations } from '../run-operations.js'

const OPERATIONS_MAX = 500

const Result = Type.Object({
  op: Type.String(),
  ok: Type.Boolean({ description: 'false: error says why' }),
  key: Type.Optional(Type.String()),
  found: Type.Optional(Type.Boolean()),
  value: Type.Optional(AnyValueField),
  metadata: Type.Optional(AnyObject),
  version: Type.Optional(Type.Integer()),
  stored_at: Type.Optional(Time),
  created_at: Type.Optional(Time),
  updated_at: Type.Optional(Time),
  updated_by: Type.Optional(Type.String()),
  expires_at: Type.Optional(Nullable(Time)),
  deleted: Type.Optional(Type.Boolean()),
  entries: Type.Optional(
    Type.Array(
      Type.Object({
        key: Type.String(),
        version: Type.Integer(),
        value_size: Type.Integer(),
        updated_at: Time,
        updated_by: Type.String(),
        expires_at: Nullable(Time)
      })
    )
  ),
  count: Type.Optional(Type.Integer()),
  has_more: Type.Optional(Type.Boolean()),
  error: Type.Optional(AnyObject)
})

/** @param bytes_max of a value as JSON */
export const batchMemory = (quotas: Quotas, bytes_max: number) =>
  defineTool({
    name: 'batch_memory',
    title: 'Several operations on memory',
    description:
      'Get, set, delete and list in one call, in their order. All or none: the first error takes everything back. ' +
      'With atomic: false an error is the result of its operation alone.',
    permission: 'write',
    effect: 'replaces',
    commits: 'transaction',
    input: input({
      operations: Type.Array(Operation(bytes_max), {
        minItems: 1,
        maxItems: OPERATIONS_MAX,
        description: 'The operations, at most 500'
      }),
      atomic: Type.Optional(Type.Boolean({ default: true, description: 'Whether an error takes everything back' })),
      idempotency_key: IdempotencyKey
    }),
    output: output({
      results: Type.Array(Result, { description: 'In the order of the operations' }),
      count: Type.Integer(),
      has_more: Type.Boolean({
        description: 'Whether the answer has no room for the last results; what they wrote is written'
      })
    }),
    audit: ({ operations, atomic = true }, { results }) => ({
      event_type: 'memory_batch',
      metadata: {
        sets: operations.filter(({ op }) => op === 'set').length,
        deletes: operations.filter(({ op }) => op === 'delete').length,
        reads: operations.filter(({ op }) => op === 'get' || op === 'list').length,
        // What PostgreSQL has printed was not refused.
        refused: results.filter(result => !(result instanceof JsonText) && !result.ok).length,
        atomic
      }
    }),
    onlyReads: ({ operations }) => operations.every(({ op }) => op === 'get' || op === 'list'),
    affectedTopics: ({ operations }, _output, { agent }) =>
      operations.some(({ op, namespace }) => namespace === undefined && (op === 'set' || op === 'delete'))
        ? [memoryTopic(agent.workspace, agent.agent_id)]
        : [],
    async handler({ operations, atomic = true }, { db, agent }) {
      checkOperations(operations)
      const { results, owners } = await runOperations(db, agent, operations, atomic)
      for (const agent_id of [...owners].sort())
        await refuseMuchMemory(db, { workspace: agent.workspace, agent_id }, quotas)
      return { results, count: results.length, has_more: results.length < operations.length }
    }
  })
