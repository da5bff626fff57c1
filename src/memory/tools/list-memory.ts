import { Type } from '@sinclair/typebox'
import { foreignCursor, openCursor, sealCursor } from '../../kernel/cursor.js'
import { Allowed, Checked, EmptyIsAbsent } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { characters } from '../../kernel/text.js'
import { parseTime } from '../../kernel/time.js'
import { decodeSnapshot, encodeSnapshot } from '../../postgres/snapshots.js'
import { GLOBAL } from '../store/memory.js'
import { list, type Place } from '../store/memory-list.js'
import { scopeOf, ScopeWord, scopeWord } from '../memory-scope.js'
import { Nullable, pageFields, Time } from '../../kernel/answer-shapes.js'
import { Cursor, input, Limit, MEMORY_KEY_MAX, output } from '../../kernel/shapes.js'

const NAME = 'list_memory'
const EVERY_SCOPE = 'all'

export const listMemory = defineTool({
  name: NAME,
  title: 'List what is remembered',
  description:
    "The keys you have stored, last updated first: your global ones, with session_id that session's, with " +
    'session_id "all" every one. Over several pages: what changes meanwhile comes at the end.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    session_id: Type.Optional(
      Checked<string>(
        { type: 'string', description: 'A session, or "all" for every scope; left out: the global scope' },
        value => typeof value === 'string' && value.length <= 300,
        { [EmptyIsAbsent]: true, [Allowed]: 'a session_id, or "all"' }
      )
    ),
    prefix: Type.Optional(
      Checked<string>(
        { type: 'string', maxLength: MEMORY_KEY_MAX, description: 'Only keys that begin with exactly this' },
        value => typeof value === 'string' && characters(value) <= MEMORY_KEY_MAX,
        { [Allowed]: `a string of at most ${MEMORY_KEY_MAX} characters` }
      )
    ),
    limit: Limit(50, 200),
    cursor: Cursor
  }),
  output: output({
    entries: Type.Array(
      Type.Object({
        key: Type.String(),
        scope: ScopeWord,
        session_id: Nullable(Type.String()),
        version: Type.Integer(),
        value_size: Type.Integer({ description: 'Bytes of the value as JSON' }),
        created_at: Time,
        updated_at: Time,
        expires_at: Nullable(Time)
      })
    ),
    ...pageFields,
    scope_filter: Type.String({ description: '"global", "all", or the session' })
  }),
  async handler({ session_id, prefix, limit = 50, cursor }, { db, agent }) {
    const listOf = [NAME, session_id, prefix]
    const after = cursor === undefined ? undefined : placeIn(openCursor(listOf, cursor))
    const scope = session_id === EVERY_SCOPE ? undefined : await scopeOf(db, agent, session_id)
    const { entries, end } = await list(db, agent, { scope, prefix, limit, after })
    return {
      entries: entries.map(({ session_id: of, ...entry }) => ({
        ...entry,
        scope: scopeWord(of),
        session_id: of === GLOBAL ? null : of
      })),
      count: entries.length,
      has_more: end !== null,
      next_cursor: end === null ? null : sealCursor(listOf, partsOf(end)),
      scope_filter: session_id ?? 'global'
    }
  }
})

function partsOf({ snapshot, session_id, key, updated_at }: Place): unknown[] {
  return [encodeSnapshot(snapshot), session_id, key, updated_at ?? null]
}

function placeIn([text, session_id, key, updated_at]: readonly unknown[]): Place {
  const snapshot = typeof text === 'string' ? decodeSnapshot(text) : undefined
  const isStorable = (value: unknown) => typeof value === 'string' && !/[\p{Cc}\p{Cs}]/u.test(value)
  if (snapshot !== undefined && isStorable(session_id) && isStorable(key)) {
    const place = { snapshot, session_id: session_id as string, key: key as string }
    if (updated_at === null) return place
    if (typeof updated_at === 'string' && parseTime(updated_at) === updated_at) return { ...place, updated_at }
  }
  throw foreignCursor()
}
