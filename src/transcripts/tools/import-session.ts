import { Type } from '@sinclair/typebox'
import { sessionTopic } from '../../kernel/events.js'
import { Allowed, Checked } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { importSession as write } from '../store/session-import.js'
import { newSessionId } from '../../sessions/store/session-creation.js'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import { IdempotencyKey, input, output } from '../../kernel/shapes.js'
import { lookThrough } from '../redacted-transcript.js'
import { readTranscript } from '../transcript.js'
import type { Redact, Redacted } from '../../kernel/text-arguments.js'
import type { Quotas } from '../../limits/quotas.js'

/** @param redact looks for secrets in what the session holds; undefined: nobody wants that */
export const importSession = (quotas: Quotas, redact: Redact | undefined) =>
  defineTool({
    name: 'import_session',
    title: 'Import a session',
    description:
      'Make a session of what export_session wrote, here or on another server: a new session_id and new message ' +
      'ids, the same order, senders, visibility, metadata, times and answers to each other. All of it or, where a ' +
      'line is not right, nothing. For admins, since it speaks for others. What is larger than a request may be is ' +
      'imported by the command `session import`.',
    permission: 'admin',
    effect: 'adds',
    commits: 'transaction',
    input: input({
      ndjson: Checked<string>(
        { type: 'string', minLength: 1, description: 'The ndjson of all pages of export_session, one after the other' },
        value => typeof value === 'string' && value !== '',
        { [Allowed]: 'the lines that export_session returned' }
      ),
      idempotency_key: IdempotencyKey
    }),
    output: output({
      session_id: Type.String(),
      message_count: Type.Integer(),
      warnings: Type.Optional(Type.Array(Type.String(), { description: 'What the sender should think of' }))
    }),
    audit: (_input, { session_id, message_count }) => ({
      event_type: 'session_imported',
      session_id,
      resource: `session:${session_id}`,
      metadata: { messages: message_count }
    }),
    affectedTopics: (_input, { session_id }, { agent }) => [sessionTopic(agent.workspace, session_id)],
    async handler({ ndjson }, { db, agent, auditMetadata }) {
      needWholeWorkspace(agent)
      const { transcript, found } = lookThrough(await readTranscript(ndjson.split('\n')), redact)
      const {
        session: { id: exported, ...session },
        messages
      } = transcript
      auditMetadata.exported_session_id = exported
      const session_id = newSessionId()
      const message_count = await write(db, agent.workspace, session_id, session, messages, quotas)
      const secrets = found()
      Object.assign(auditMetadata, secrets)
      return { session_id, message_count, ...(secrets !== undefined && { warnings: [inWords(secrets)] }) }
    }
  })

function inWords({ redaction, secrets }: Redacted['audit']): string {
  const kinds = Object.entries(secrets).map(([kind, times]) => `${kind} ${times}`)
  const done = redaction === 'mask' ? 'was replaced before it was stored' : 'was stored as it is'
  return `The session holds what looks like secrets, which ${done}: ${kinds.join(', ')}.`
}
