import { Type } from '@sinclair/typebox'
import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import { createSession as create } from '../store/session-creation.js'
import { refuseManySessions } from '../../limits/store/usage.js'
import { AnyObject, Nullable, Time } from '../../kernel/answer-shapes.js'
import { Metadata } from '../../kernel/metadata-shapes.js'
import { IdempotencyKey, input, output, Purpose, SessionKey } from '../../kernel/shapes.js'
import type { Quotas } from '../../limits/quotas.js'

export const createSession = (quotas: Quotas) =>
  defineTool({
    name: 'create_session',
    title: 'Open a session',
    description:
      'Open a session in which agents work together. With key: the session of that key, opened if there is none.',
    permission: 'write',
    effect: 'adds',
    commits: 'transaction',
    input: input({
      purpose: Purpose('What it is for, in a sentence'),
      metadata: Metadata(),
      key: Type.Optional(SessionKey('A unique name for it')),
      idempotency_key: IdempotencyKey
    }),
    output: output({
      session_id: Type.String(),
      purpose: Type.String(),
      created_by: Type.String(),
      created_at: Time,
      metadata: AnyObject,
      key: Nullable(Type.String()),
      created: Type.Boolean({ description: 'false: it was there already, and is as it was' }),
      is_active: Type.Boolean()
    }),
    audit: (_input, { session_id, created }) => ({
      event_type: created ? 'session_created' : 'session_found',
      session_id,
      resource: `session:${session_id}`
    }),
    affectedTopics: (_input, { session_id, created }, { agent }) =>
      created ? [sessionTopic(agent.workspace, session_id)] : [],
    async handler({ purpose, metadata = {}, key }, { db, agent }) {
      const { session, created } = await create(db, agent, { purpose, metadata, key })
      if (created) await refuseManySessions(db, agent.workspace, quotas)
      const { id: session_id, purpose: of, created_by, created_at, metadata: more, is_active } = session
      return { session_id, purpose: of, created_by, created_at, metadata: more, key: session.key, created, is_active }
    }
  })
