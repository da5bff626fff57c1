import type { TSchema } from '@sinclair/typebox'
import { argumentExample } from './openapi-examples.js'
import { EVENTS, groupOf } from './openapi-groups.js'
import { SessionEventsInput } from './stream-input.js'

/** The event streams' part of the OpenAPI page, written by hand because they are no tools. */

const CHANGES = `Each event has an \`id\`, an \`event\` (the type) and \`data\` (JSON):

- \`message_added\` {seq, type, message}: somebody wrote the message, or made it visible to you.
- \`visibility_changed\` {seq, type, message}: you could see the message before, and still can.
- \`message_hidden\` and \`message_deleted\` {seq, type, message_id}: you could see the message before.
- \`session_updated\` and \`session_closed\` {seq, type, session}: the session as it is now. Before
  \`session_closed\` comes all that you could see when it was closed.
- \`task_changed\` {seq, type, task}: a task that you may see, as it is now, without its description and result.
- \`session_deleted\` {seq, type}: the session is no more. A stream of this session alone ends: \`session_gone\`.
- \`start\`: the first event. Its id is where the stream begins.
- \`position\`: nothing for you came since the last event. Its id is where the stream stands now.
- \`end\` {reason, resume}: the last event. If \`resume\` is true, come back at once with the last id.

Reasons for an end:

- \`stopping\`: this replica stops.
- \`slow_reader\`: more than 1 MiB waited for you to read it.
- \`token_expired\`, \`token_revoked\`: your token has ended.
- \`key_expired\`, \`key_revoked\`: the key that you sent as X-API-Key has ended.
- \`session_gone\`: the session was deleted.

After a lost connection send the last id as \`Last-Event-ID\`, to any replica: you get each change once.
A comment line comes every 15 seconds while the connection lives. Each event is checked against your rights of that
moment.

Needs: the permission \`read\`.`

export function streamPaths(): Record<string, unknown> {
  const { session_id, after_seq } = SessionEventsInput.properties
  return {
    '/mcp/sessions/{session_id}/events': {
      get: stream({
        operationId: 'session_events',
        summary: 'Follow a session',
        description:
          'Sends the changes of a session as they come, as server-sent events: what get_messages with after_seq ' +
          'returns, without asking again. The id of a change is its seq.',
        parameters: [
          parameter('path', 'session_id', session_id),
          parameter('query', 'after_seq', after_seq),
          lastEventId('The id of the last event that you have read. It wins over after_seq', '^[0-9]{1,16}$')
        ]
      })
    },
    '/mcp/events': {
      get: stream({
        operationId: 'workspace_events',
        summary: 'Follow all sessions',
        description:
          'Sends the changes of all sessions as they come, as server-sent events. Each names its `session_id`; those ' +
          'of one session come in the order of their seq. The id of an event is opaque: send it as `Last-Event-ID` ' +
          'to a server with the same database. Without one the stream begins now.',
        parameters: [lastEventId('The id of the last event that you have read. Absent: from now on')]
      })
    }
  }
}

function stream({ description, ...operation }: { description: string } & Record<string, unknown>) {
  return {
    ...operation,
    tags: [groupOf(EVENTS)],
    description: `${description}\n\n${CHANGES}`,
    responses: {
      200: {
        description: 'The changes, until the client leaves or an `end` comes',
        content: { 'text/event-stream': { schema: { type: 'string' } } }
      },
      default: {
        description: 'Refused or failed, before the stream began',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
      }
    }
  }
}

function parameter(where: 'path' | 'query', name: string, { description, ...schema }: TSchema) {
  return { in: where, name, required: where === 'path', description, schema, example: argumentExample(name, schema) }
}

function lastEventId(description: string, pattern?: string) {
  return { in: 'header', name: 'Last-Event-ID', required: false, description, schema: { type: 'string', pattern } }
}
