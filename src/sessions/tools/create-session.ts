import { Type } from '@sinclair/typebox'
import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import * as sessions from '../store/sessions.js'
import { refuseManySessions } from '../../limits/store/usage.js'
import { AnyObject, Time } from '../../kernel/answer-shapes.js'
import { Metadata } from '../../kernel/metadata-shapes.js'
import { IdempotencyKey, input, output, Purpose } from '../../kernel/shapes.js'
import type { Quotas } from '../../limits/quotas.js'

export const createSession = (quotas: Quotas) =>
  defineTool({
    name: 'create_session',
    title: 'Open a session',
    description: 'Open a session in which agents work together, and get the session_id to share with them.',
    permission: 'write',
    effect: 'adds',
    commits: 'transaction',
    input: input({
      purpose: Purpose('What it is for, in a sentence'),
      metadata: Metadata(),
      idempotency_key: IdempotencyKey
    }),
    output: output({
      session_id: Type.String(),
      purpose: Type.String(),
      created_by: Type.String(),
      created_at: Time,
      metadata: AnyObject
    }),
    audit: (_input, { session_id }) => ({
      event_type: 'session_created',
      session_id,
      resource: `session:${session_id}`
    }),
    affectedTopics: (_input, { session_id }, { agent }) => [sessionTopic(agent.workspace, session_id)],
    async handler({ purpose, metadata = {} }, { db, agent }) {
      const session = await sessions.create(db, agent, purpose, metadata)
      await refuseManySessions(db, agent.workspace, quotas)
      const { id: session_id, created_by, created_at } = session
      return { session_id, purpose: session.purpose, created_by, created_at, metadata: session.metadata }
    }
  })
