import { Type } from '@sinclair/typebox'
import { Nullable, pageFields } from '../../kernel/answer-shapes.js'
import { notBoth } from '../../kernel/page-rules.js'
import { ITEMS_MAX } from '../../kernel/answer-size.js'
import { foreignCursor, openCursor, sealCursor } from '../../kernel/cursor.js'
import { AppError } from '../../kernel/errors.js'
import { Allowed, AnyValueField, Checked, EmptyIsAbsent, OneOf } from '../../kernel/schema.js'
import { Cursor, input, Limit, MEMORY_KEY_MAX, output, Text } from '../../kernel/shapes.js'
import { parseTime } from '../../kernel/time.js'
import { defineTool } from '../../kernel/tool.js'
import { decodeSnapshot, encodeSnapshot } from '../../postgres/snapshots.js'
import { conditionsOf, Filter } from '../filter-argument.js'
import { placeOf, whereToRead } from '../memory-scope.js'
import { Touch, valueFields } from '../memory-shapes.js'
import { isPath, OptionalNamespace } from '../namespace.js'
import { touch } from '../renewal.js'
import { GLOBAL } from '../store/entries.js'
import { list, type Listed, type Order, ORDERS, type Place } from '../store/memory-list.js'

const NAME = 'list_memory'
const EVERY_SCOPE = 'all'

export const listMemory = defineTool({
  name: NAME,
  title: 'List what is remembered',
  description: 'Stored keys, last updated first: your global ones, or those of a session or namespace.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input(
    {
      session_id: Type.Optional(
        Checked<string>(
          { type: 'string', description: 'A session; all: all of yours; without: global' },
          value => typeof value === 'string' && value.length <= 300,
          { [EmptyIsAbsent]: true, [Allowed]: 'a session_id, or "all"' }
        )
      ),
      namespace: OptionalNamespace('Shared memory'),
      prefix: Type.Optional(Text(0, MEMORY_KEY_MAX, 'How the keys begin')),
      filter: Filter,
      include_values: Type.Optional(Type.Boolean({ description: 'With the values' })),
      order: Type.Optional(OneOf(ORDERS, { description: 'Default updated' })),
      touch: Touch,
      limit: Limit(50, 1000),
      cursor: Cursor
    },
    notBoth('session_id', 'namespace')
  ),
  output: output({
    entries: Type.Array(
      Type.Object({
        ...valueFields({
          session_id: Nullable(Type.String()),
          value_size: Type.Integer({ description: 'Bytes of the value as JSON' })
        }),
        value: Type.Optional(AnyValueField)
      })
    ),
    ...pageFields,
    scope_filter: Type.String({ description: '"global", "all", the session, or the namespace' })
  }),
  async handler(
    {
      session_id,
      namespace,
      prefix,
      filter,
      include_values = false,
      order: asked,
      touch: renews = false,
      limit = 50,
      cursor
    },
    { db, agent, caller }
  ) {
    if (renews && asked === 'updated') throw movingOrder()
    const order = asked ?? (renews ? 'key' : 'updated')
    const listOf = [NAME, session_id, prefix, namespace, order, filter]
    const after = cursor === undefined ? undefined : placeIn(openCursor(listOf, cursor), order)
    const conditions = filter === undefined ? [] : conditionsOf(filter)
    const everywhere = session_id === EVERY_SCOPE && namespace === undefined
    const where = everywhere ? undefined : await whereToRead(db, agent, { session_id, namespace })
    const bytes_max = include_values ? ITEMS_MAX : undefined
    const { entries, end } = await list(db, agent, { where, prefix, conditions, order, limit, bytes_max, after })
    const ends = new Map<string, string>()
    if (renews && entries.length > 0) {
      const keys = entries.map(({ key, session_id: scope }) => ({
        where: { owner: where?.owner ?? agent.agent_id, scope },
        key
      }))
      const named = { ...(!everywhere && { session_id }), namespace }
      for (const one of await touch(db, agent, caller, named, NAME, keys))
        ends.set(`${one.session_id}\n${one.key}`, one.expires_at)
    }
    return {
      entries: entries.map(entry => shown(entry, ends.get(`${entry.session_id}\n${entry.key}`))),
      count: entries.length,
      has_more: end !== null,
      next_cursor: end === null ? null : sealCursor(listOf, partsOf(end)),
      scope_filter: namespace ?? session_id ?? 'global'
    }
  }
})

// Written out: to take fields out of rows by `...` took as long as to print them.
function shown(entry: Listed, expires_at = entry.expires_at) {
  const { key, session_id: of, version, value_size, value, created_at, updated_at, updated_by } = entry
  const { scope, namespace } = placeOf(of)
  const session_id = of === GLOBAL || isPath(of) ? null : of
  return {
    key,
    scope,
    namespace,
    session_id,
    version,
    value_size,
    value,
    created_at,
    updated_at,
    updated_by,
    expires_at
  }
}

/** To renew a value writes its row, which would then come a second time at the end. */
function movingOrder(): AppError {
  return new AppError('INVALID_INPUT', 'With touch, values are listed by their keys.', {
    context: { argument: 'order', given: 'updated with touch', allowed: 'key, or nothing' },
    suggestions: ['Leave order out', 'Or leave touch out']
  })
}

function partsOf({ snapshot, session_id, key, updated_at, newest }: Place): unknown[] {
  return [encodeSnapshot(snapshot), session_id, key, updated_at ?? null, ...(newest === undefined ? [] : [newest])]
}

function placeIn([text, session_id, key, updated_at, newest]: readonly unknown[], order: Order): Place {
  const snapshot = typeof text === 'string' ? decodeSnapshot(text) : undefined
  const isStorable = (value: unknown): value is string => typeof value === 'string' && !/[\p{Cc}\p{Cs}]/u.test(value)
  const isTime = (value: unknown): value is string => typeof value === 'string' && parseTime(value) === value
  const isWhole = order === 'key' || newest !== undefined
  if (
    isWhole &&
    snapshot !== undefined &&
    isStorable(session_id) &&
    isStorable(key) &&
    (newest === undefined || isTime(newest))
  ) {
    const place = { snapshot, newest, session_id, key }
    if (updated_at === null) return place
    if (isTime(updated_at)) return { ...place, updated_at }
  }
  throw foreignCursor()
}
