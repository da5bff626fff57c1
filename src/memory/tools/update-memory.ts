import { Type } from '@sinclair/typebox'
import { Nullable, Time } from '../../kernel/answer-shapes.js'
import { all, notBoth, where } from '../../kernel/page-rules.js'
import { AppError } from '../../kernel/errors.js'
import { memoryTopic } from '../../kernel/events.js'
import { isObject } from '../../kernel/json.js'
import { AnyValueField, OneOf } from '../../kernel/schema.js'
import { IdempotencyKey, input, MemoryKey, OptionalSessionId, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import type { Quotas } from '../../limits/quotas.js'
import { refuseMuchMemory } from '../../limits/store/usage.js'
import { memoryResource, placeFields, placeOf, whereToStore } from '../memory-scope.js'
import { IfVersion, Value } from '../memory-shapes.js'
import { OptionalNamespace } from '../namespace.js'
import { spellingOf } from '../store/entries.js'
import { change, type Operation, OPERATIONS } from '../store/memory-update.js'

/** @param bytes_max of a value as JSON */
export const updateMemory = (quotas: Quotas, bytes_max: number) =>
  defineTool({
    name: 'update_memory',
    title: 'Change a value in place',
    description:
      'Change a value so that no change of another agent is lost: increment adds value to a number, append puts ' +
      'value at the end of a list (or a text behind a text), merge puts the fields of value into an object. What is ' +
      'absent ' +
      'is 0, [] or {} before.',
    permission: 'write',
    effect: 'replaces',
    commits: 'transaction',
    input: input(
      {
        key: MemoryKey,
        op: OneOf(OPERATIONS, { description: 'How it changes' }),
        value: Value(bytes_max, 'The number, the element, or the object of fields'),
        session_id: OptionalSessionId('global'),
        namespace: OptionalNamespace('Shared memory'),
        if_version: IfVersion('Only if it has this version; 0: only if it is absent'),
        idempotency_key: IdempotencyKey
      },
      all(
        notBoth('session_id', 'namespace'),
        where('op', 'merge', { properties: { value: { type: 'object' } } }),
        where('op', 'increment', {
          properties: {
            value: { type: 'number', minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
          }
        })
      )
    ),
    output: output({
      key: Type.String(),
      ...placeFields,
      value: AnyValueField,
      version: Type.Integer(),
      expires_at: Nullable(Time)
    }),
    audit: ({ key, op, session_id, namespace }, { version }) => ({
      event_type: 'memory_updated',
      session_id,
      resource: memoryResource(key),
      metadata: { op, version, ...(namespace !== undefined && { namespace }) }
    }),
    affectedTopics: ({ namespace }, _output, { agent }) =>
      namespace === undefined ? [memoryTopic(agent.workspace, agent.agent_id)] : [],
    async handler({ key: named, op, value, session_id, namespace, if_version }, { db, agent }) {
      refuseUnfit(op, value)
      const { workspace, agent_id: author } = agent
      const where = await whereToStore(db, agent, { session_id, namespace })
      const key = await spellingOf(db, workspace, where, named)
      const text = JSON.stringify(value)
      const changed = await change(db, workspace, { where, key, op, value: text, if_version, author, bytes_max })
      await refuseMuchMemory(db, { workspace, agent_id: where.owner }, quotas)
      return { key, ...placeOf(where.scope), ...changed }
    }
  })

function refuseUnfit(op: Operation, value: unknown): void {
  if (op === 'append' || (op === 'increment' ? isExact(value) : isObject(value))) return
  throw new AppError('INVALID_INPUT', `The argument 'value' does not fit ${op}.`, {
    context: {
      argument: 'value',
      given: 'something else',
      allowed: op === 'increment' ? 'a number of at most 9007199254740991' : 'an object'
    },
    suggestions: [op === 'increment' ? 'Pass a number, such as 1 or -1' : 'Pass an object of the fields to set']
  })
}

function isExact(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER
}
