import type { TSchema } from '@sinclair/typebox'
import { SessionEventsInput } from './stream-input.js'

/** The event streams' part of the OpenAPI page: they are no tools, so it is written by hand. */

const EVENTS = `Each event has an \`id\`, an \`event\` (the type) and \`data\` (JSON):

- \`message_added\` {seq, type, message}: written, or made visible to you. \`visibility_changed\` {seq, type, message}: you could see it and still can. \`message_hidden\` and \`message_deleted\` {seq, type, message_id}: you could see it.
- \`session_updated\`, \`session_closed\` {seq, type, session}: the session as it is now. \`session_deleted\` {seq, type}: it is no more; a stream of this session alone ends instead, with the reason \`session_gone\`.
- \`start\`: the first event; its id is where the stream begins. \`position\`: nothing for you came since, and this is where the stream stands.
- \`end\` {reason, resume}: the last one. \`resume\`: whether to come back with the last id at once. Reasons: \`stopping\` (this replica goes), \`slow_reader\` (more than 1 MiB waited for you to read it), \`token_expired\`, \`token_revoked\`, \`key_expired\`, \`key_revoked\` (where it was opened with X-API-Key), \`session_gone\`.

After a lost connection send the last id as \`Last-Event-ID\`, to any replica: each change comes once. A comment line every 15 seconds shows that the connection lives. Your rights are those of the moment.`

const security = [{ token: [] }, { apiKey: [], agentId: [] }]

export function streamPaths(): Record<string, unknown> {
  const { session_id, after_seq } = SessionEventsInput.properties
  return {
    '/mcp/sessions/{session_id}/events': {
      get: {
        operationId: 'session_events',
        summary: 'Follow a session',
        description:
          "A session's changes as they come, as server-sent events: what get_messages with after_seq gives, " +
          `without asking again. The id of a change is its seq.\n\n${EVENTS}\n\nNeeds: the permission \`read\`.`,
        security,
        parameters: [
          parameter('path', 'session_id', session_id),
          parameter('query', 'after_seq', after_seq),
          {
            ...header('The id of the last event that was read. It wins over after_seq'),
            schema: { type: 'string', pattern: '^[0-9]{1,16}$' }
          }
        ],
        responses: responses('The changes, until the client goes or an `end` comes')
      }
    },
    '/mcp/events': {
      get: {
        operationId: 'workspace_events',
        summary: 'Follow all sessions',
        description:
          'The changes of all sessions, as server-sent events: those of a session in the order of their seq, ' +
          'each with its `session_id`. The id of an event is opaque; it is for `Last-Event-ID` on the same ' +
          `database. Without one the stream begins now.\n\n${EVENTS}\n\nNeeds: the permission \`read\`.`,
        security,
        parameters: [
          { ...header('The id of the last event that was read. Absent: from now on'), schema: { type: 'string' } }
        ],
        responses: responses('The changes, until the client goes or an `end` comes')
      }
    }
  }
}

function parameter(where: 'path' | 'query', name: string, schema: TSchema): Record<string, unknown> {
  // As plain JSON Schema: the marks of a schema are symbols, which JSON leaves out.
  const { description, ...plain } = JSON.parse(JSON.stringify(schema)) as Record<string, unknown>
  return { in: where, name, required: where === 'path', description, schema: plain }
}

function header(description: string): Record<string, unknown> {
  return { in: 'header', name: 'Last-Event-ID', required: false, description }
}

function responses(description: string): Record<string, unknown> {
  return {
    200: { description, content: { 'text/event-stream': { schema: { type: 'string' } } } },
    default: {
      description: 'Refused or failed, before the stream begins',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
    }
  }
}
