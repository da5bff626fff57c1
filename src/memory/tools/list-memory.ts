import { Type } from '@sinclair/typebox'
import { Allowed, Checked, EmptyIsAbsent } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { characters } from '../../kernel/text.js'
import * as memory from '../store/memory.js'
import { scopeOf, ScopeWord, scopeWord } from '../memory-scope.js'
import { Nullable, Time } from '../../kernel/answer-shapes.js'
import { input, Limit, MEMORY_KEY_MAX, output } from '../../kernel/shapes.js'

const EVERY_SCOPE = 'all'

export const listMemory = defineTool({
  name: 'list_memory',
  title: 'List what is remembered',
  description:
    "The keys you have stored, last updated first: your global ones, with session_id that session's, with " +
    'session_id "all" every one.',
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
    limit: Limit(50, 200)
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
    count: Type.Integer(),
    scope_filter: Type.String({ description: '"global", "all", or the session' })
  }),
  async handler({ session_id, prefix, limit = 50 }, { db, agent }) {
    const scope = session_id === EVERY_SCOPE ? undefined : await scopeOf(db, agent, session_id)
    const found = await memory.list(db, agent, scope, prefix, limit)
    return {
      entries: found.map(({ session_id: of, ...entry }) => ({
        ...entry,
        scope: scopeWord(of),
        session_id: of === memory.GLOBAL ? null : of
      })),
      count: found.length,
      scope_filter: session_id ?? 'global'
    }
  }
})
