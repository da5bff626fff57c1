import { Type } from '@sinclair/typebox'
import { memoryTopic } from '../../kernel/events.js'
import { notBoth } from '../../kernel/page-rules.js'
import { defineTool } from '../../kernel/tool.js'
import { Nullable, Time } from '../../kernel/answer-shapes.js'
import { IdempotencyKey, input, MemoryKey, OptionalSessionId, output } from '../../kernel/shapes.js'
import { memoryResource, placeFields, placeOf, refuseClosed, whereToStore, whereToWrite } from '../memory-scope.js'
import { IfVersion, storing, Value } from '../memory-shapes.js'
import { OptionalNamespace, pathOf } from '../namespace.js'
import type { Db } from '../../postgres/schema.js'
import { GLOBAL, spellingOf, type Where } from '../store/entries.js'
import type { MemoryWriter } from '../store/memory-writer.js'

/** @param bytes_max of a value as JSON */
export const setMemory = (writer: MemoryWriter, bytes_max: number) =>
  defineTool({
    name: 'set_memory',
    title: 'Remember a value',
    description:
      'Store a value under a key: for yourself, globally or in a session, or in a namespace that agents share.',
    permission: 'write',
    effect: 'replaces',
    commits: 'batch',
    input: input(
      {
        key: MemoryKey,
        value: Value(bytes_max, 'Any JSON value'),
        session_id: OptionalSessionId('global'),
        namespace: OptionalNamespace('Shared memory, such as team/plans'),
        if_version: IfVersion('Only if it has this version; 0: none'),
        ...storing,
        idempotency_key: IdempotencyKey
      },
      notBoth('session_id', 'namespace')
    ),
    output: output({
      key: Type.String(),
      ...placeFields,
      session_scoped: Type.Boolean(),
      stored_at: Time,
      expires_at: Nullable(Time),
      version: Type.Integer({ description: 'Larger than every earlier one of the key; not one more' })
    }),
    audit: ({ key, session_id, namespace }) => ({
      event_type: 'memory_set',
      session_id,
      resource: memoryResource(key),
      metadata: namespace === undefined ? {} : { namespace }
    }),
    affectedTopics: ({ namespace }, _output, { agent }) =>
      namespace === undefined ? [memoryTopic(agent.workspace, agent.agent_id)] : [],
    async handler(
      { key: named, value, session_id, namespace, if_version, expires_in = 0, metadata = {}, overwrite = true },
      { db, agent, receipt }
    ) {
      const place = { session_id, namespace }
      const scope = namespace === undefined ? (session_id ?? GLOBAL) : pathOf(namespace)
      const request = {
        ...receipt,
        workspace: agent.workspace,
        author: agent.agent_id,
        value: JSON.stringify(value),
        metadata,
        expires_in,
        overwrite,
        if_version
      }
      const placed = async (on: Db, where: Where) => ({
        where,
        key: await spellingOf(on, agent.workspace, where, named)
      })
      const find = async () => {
        await refuseClosed(db, agent, session_id)
        const where = await whereToWrite(db, agent, place)
        return where && placed(db, where)
      }
      // A repeat gets the first answer, whatever has become of the place since.
      const found = await find().catch((error: unknown) => {
        if (receipt.idempotencyKey === undefined) throw error
        return undefined
      })
      const stored =
        found === undefined
          ? await writer.setFirst(request, async tx => placed(tx, await whereToStore(tx, agent, place)))
          : await writer.set({ ...request, ...found })
      return { ...placeOf(scope), session_scoped: placeOf(scope).scope === 'session', ...stored }
    }
  })
