import { Type } from '@sinclair/typebox'
import { memoryTopic } from '../../kernel/events.js'
import { Allowed, AnyValue, Code, Whole } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import * as memory from '../store/memory.js'
import * as sessions from '../../sessions/store/sessions.js'
import { refuseMuchMemory } from '../../limits/store/usage.js'
import { Nullable, Time } from '../../kernel/answer-shapes.js'
import { Metadata } from '../../kernel/metadata-shapes.js'
import { IdempotencyKey, input, MemoryKey, OptionalSessionId, output } from '../../kernel/shapes.js'
import { memoryResource, ScopeWord, scopeWord } from '../memory-scope.js'
import type { Quotas } from '../../limits/quotas.js'

/** Bytes of a value as JSON. */
const VALUE_MAX = 1024 * 1024
/** Seconds: a year. */
const TTL_MAX = 31_536_000

export const setMemory = (quotas: Quotas) =>
  defineTool({
    name: 'set_memory',
    title: 'Remember a value',
    description:
      'Store any JSON value under a key, for yourself alone: in one session with session_id, else globally; for ' +
      'ever, or for expires_in seconds.',
    permission: 'write',
    effect: 'replaces',
    commits: 'transaction',
    input: input({
      key: MemoryKey,
      value: AnyValue(
        'Any JSON value, at most 1 MiB; numbers have double precision, send others as strings',
        value => value !== undefined && Buffer.byteLength(JSON.stringify(value)) <= VALUE_MAX,
        { [Code]: 'CONTENT_TOO_LARGE', [Allowed]: `any JSON value of at most ${VALUE_MAX} bytes` }
      ),
      session_id: OptionalSessionId('your global memory'),
      expires_in: Type.Optional(
        Whole({
          minimum: 0,
          maximum: TTL_MAX,
          default: 0,
          description: 'Seconds it is kept; 0: for ever',
          [Code]: 'INVALID_TTL'
        })
      ),
      metadata: Metadata('Anything about the value'),
      overwrite: Type.Optional(
        Type.Boolean({ default: true, description: 'false: refuse with KEY_EXISTS if the key has a value' })
      ),
      idempotency_key: IdempotencyKey
    }),
    output: output({
      key: Type.String(),
      scope: ScopeWord,
      session_scoped: Type.Boolean(),
      stored_at: Time,
      expires_at: Nullable(Time),
      version: Type.Integer({ description: '1 for a new key, one more with each overwriting' })
    }),
    audit: ({ key, session_id }, { version }) => ({
      event_type: 'memory_set',
      session_id,
      resource: memoryResource(key),
      metadata: { version }
    }),
    affectedTopics: (_input, _output, { agent }) => [memoryTopic(agent.workspace, agent.agent_id)],
    async handler({ key, value, session_id, expires_in = 0, metadata = {}, overwrite = true }, { db, agent }) {
      // Not locked: a session that is closed at this very moment may still get the value.
      if (session_id !== undefined && !(await sessions.readSessionOrThrow(db, agent, session_id)).is_active)
        throw sessions.sessionClosed()
      const scope = session_id ?? memory.GLOBAL
      const stored = await memory.put(db, agent, {
        key,
        scope,
        value: JSON.stringify(value),
        metadata,
        expires_in,
        overwrite
      })
      await refuseMuchMemory(db, agent, quotas)
      return { scope: scopeWord(scope), session_scoped: scope !== memory.GLOBAL, ...stored }
    }
  })
