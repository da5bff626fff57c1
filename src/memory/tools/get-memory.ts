import { Type } from '@sinclair/typebox'
import { AnyValueField } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { scopeOf, ScopeWord, scopeWord } from '../memory-scope.js'
import { AnyObject, Nullable, Time } from '../../kernel/answer-shapes.js'
import { input, MemoryKey, OptionalSessionId, output } from '../../kernel/shapes.js'
import type { MemoryReader } from '../store/memory.js'

export const getMemory = (reader: MemoryReader) =>
  defineTool({
    name: 'get_memory',
    title: 'Recall a value',
    description:
      "Read a value you stored with set_memory, from the same scope: with session_id that session's, without it the " +
      'global one.',
    permission: 'read',
    effect: 'reads',
    commits: 'none',
    input: input({ key: MemoryKey, session_id: OptionalSessionId('your global memory') }),
    output: output({
      key: Type.String(),
      value: AnyValueField,
      metadata: AnyObject,
      scope: ScopeWord,
      version: Type.Integer(),
      created_at: Time,
      updated_at: Time,
      expires_at: Nullable(Time)
    }),
    async handler({ key, session_id }, { db, agent }) {
      const scope = await scopeOf(db, agent, session_id)
      const { value, metadata, version, created_at, updated_at, expires_at } = await reader.read(agent, scope, key)
      return { key, value, metadata, scope: scopeWord(scope), version, created_at, updated_at, expires_at }
    }
  })
