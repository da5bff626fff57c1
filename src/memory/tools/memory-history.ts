import { Type } from '@sinclair/typebox'
import { Time } from '../../kernel/answer-shapes.js'
import { notBoth } from '../../kernel/page-rules.js'
import { ITEMS_MAX } from '../../kernel/answer-size.js'
import { AnyValueField } from '../../kernel/schema.js'
import { input, Limit, MemoryKey, OptionalSessionId, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { placeFields, placeOf, whereToRead } from '../memory-scope.js'
import { OptionalNamespace } from '../namespace.js'
import { versionsOf } from '../store/memory-history.js'
import type { MemoryReader } from '../store/memory-reader.js'

/** As many as are kept (migrations/0095-shared-memory.ts). */
const VERSIONS_MAX = 20

export const memoryHistory = (reader: MemoryReader) =>
  defineTool({
    name: 'memory_history',
    title: 'Who changed a value, and when',
    description:
      'The last 20 versions of a value, the current one first: what it was, who wrote it, and when. They end with ' +
      'the value.',
    permission: 'read',
    effect: 'reads',
    commits: 'none',
    input: input(
      {
        key: MemoryKey,
        session_id: OptionalSessionId('global'),
        namespace: OptionalNamespace('Shared memory'),
        limit: Limit(VERSIONS_MAX, VERSIONS_MAX)
      },
      notBoth('session_id', 'namespace')
    ),
    output: output({
      key: Type.String(),
      ...placeFields,
      versions: Type.Array(
        Type.Object({ version: Type.Integer(), value: AnyValueField, changed_by: Type.String(), changed_at: Time })
      ),
      count: Type.Integer(),
      has_more: Type.Boolean({ description: 'Whether more are kept than this answer holds' })
    }),
    async handler({ key, session_id, namespace, limit = VERSIONS_MAX }, { db, agent }) {
      const where = await whereToRead(db, agent, { session_id, namespace })
      const current = await reader.read(agent, where, key)
      const { versions, has_more } = await versionsOf(db, agent.workspace, where, current, limit, ITEMS_MAX)
      return { key: current.key, ...placeOf(where.scope), versions, count: versions.length, has_more }
    }
  })
