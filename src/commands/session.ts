import type { Session, SessionSummary } from '../../clients/typescript/src/index.js'
import { DEFAULT_WORKSPACE } from '../kernel/agent.js'
import { printable } from '../kernel/text.js'
import { JSON_OUTPUT, verb, type Verbs, WORKSPACE } from './command.js'
import { CONNECTION, withServer } from './connection.js'
import { notice } from './notice.js'
import { wholeNumber } from './operands.js'
import { EITHER, sessionOf } from './session-of.js'
import { jsonLine, oneLine, shownMessage, shownTime } from './shown.js'
import { counted, table } from './table.js'

export const verbs: Verbs = {
  list: verb({
    summary: 'Lists sessions of a server, the newest first.',
    options: {
      query: { type: 'string', value: '<text>', description: 'only those whose purpose is about this' },
      archived: { type: 'boolean', description: 'those that were put away, and no others' },
      limit: { type: 'string', value: '<number>', description: 'at most so many; default: 20' },
      ...CONNECTION,
      json: JSON_OUTPUT
    },
    async run({ query, archived, limit = '20', json, ...options }) {
      const most = wholeNumber('--limit', limit, 1)
      const sessions = await withServer(options, async client => {
        const found: SessionSummary[] = []
        const input = { query, archived, limit: Math.min(most, 100) }
        for await (const session of client.each('list_sessions', input)) if (found.push(session) === most) break
        return found
      })
      if (json) for (const session of sessions) console.log(jsonLine(session))
      else if (sessions.length > 0)
        console.log(
          table(['SESSION', 'MESSAGES', 'UNREAD', 'LAST ACTIVITY', 'STATE', 'KEY', 'PURPOSE'], sessions.map(row))
        )
      if (sessions.length === 0) notice('There are no such sessions.')
    }
  }),
  show: verb({
    summary: `Shows a session of a server with its newest messages. ${EITHER}`,
    operands: ['<session>'],
    options: {
      limit: { type: 'string', value: '<number>', description: 'at most so many messages, 0 to 200; default: 20' },
      ...CONNECTION,
      json: JSON_OUTPUT
    },
    async run({ limit = '20', json, ...options }, [wanted]) {
      const message_limit = wholeNumber('--limit', limit, 0, 200)
      const { session, messages } = await withServer(options, async client =>
        client.getSession({ session_id: await sessionOf(client, wanted), message_limit })
      )
      if (json) {
        console.log(jsonLine({ session, messages }))
        return
      }
      console.log(shownSession(session))
      for (const message of messages.reverse()) console.log(`\n${shownMessage(message)}`)
    }
  }),
  export: verb({
    summary:
      'Prints a session with all its messages, as lines of JSON; it works in the database. ' +
      "The session's key also works.",
    operands: ['<session_id>'],
    options: { workspace: WORKSPACE },
    async run({ workspace = DEFAULT_WORKSPACE }, [wanted]) {
      const { exportSession } = await import('./session-files.js')
      await exportSession(workspace, wanted)
    }
  }),
  import: verb({
    summary:
      'Imports the lines of an export as a new session, and prints its id; it works in the database. The file - is ' +
      'the standard input.',
    operands: ['<file>'],
    options: { workspace: WORKSPACE },
    async run({ workspace = DEFAULT_WORKSPACE }, [name]) {
      const { importFile } = await import('./session-files.js')
      await importFile(workspace, name)
    }
  })
}

function row({ id, key, message_count, unread, last_activity, purpose, ...session }: SessionSummary): string[] {
  return [
    id,
    String(message_count),
    String(unread.messages),
    shownTime(last_activity),
    state(session),
    key ?? '',
    oneLine(purpose, 60)
  ]
}

function state({ is_active, archived_at }: Pick<SessionSummary, 'is_active' | 'archived_at'>): string {
  return archived_at !== null ? 'archived' : is_active ? 'open' : 'closed'
}

function shownSession({
  id,
  key,
  purpose,
  created_by,
  created_at,
  message_count,
  present,
  ...session
}: Session): string {
  return [
    oneLine(purpose, 1000),
    `${id}${key === null ? '' : ` (${printable(key)})`}, ${state(session)}, ${counted(message_count, 'message')}`,
    `opened by ${printable(created_by)} at ${shownTime(created_at)}`,
    ...(present.length > 0 ? [`present: ${printable(present.map(({ agent_id }) => agent_id).join(', '))}`] : [])
  ].join('\n')
}
