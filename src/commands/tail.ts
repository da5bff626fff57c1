import { type SharedContext, SharedContextError, type SharedContextEvent } from '../../clients/typescript/src/index.js'
import { printable } from '../kernel/text.js'
import { JSON_OUTPUT, UsageError, verb, type Verbs } from './command.js'
import { CONNECTION, withServer } from './connection.js'
import { notice } from './notice.js'
import { wholeNumber } from './operands.js'
import { sessionOf } from './session-of.js'
import { jsonLine, oneLine, shownMessage } from './shown.js'

export const verbs: Verbs = {
  '': verb({
    summary:
      'Shows what happens as it happens, until Ctrl-C: in one session, or in all. It waits for a server that restarts.',
    options: {
      session: {
        type: 'string',
        value: '<session>',
        description: 'this session alone, by its id or its key; default: all'
      },
      lines: {
        type: 'string',
        value: '<number>',
        description: 'with --session: begin with so many messages; default: 10'
      },
      ...CONNECTION,
      json: JSON_OUTPUT
    },
    async run({ session, lines, json, ...options }) {
      if (lines !== undefined && session === undefined)
        throw new UsageError('--lines needs --session: without a session there is nothing to begin with.')
      const count = wholeNumber('--lines', lines ?? '10', 0, 1000)
      await withServer(options, async client => tail(client, await sessionOf(client, session), count, json))
    }
  })
}

async function tail(
  client: SharedContext,
  session_id: string | undefined,
  count: number,
  json: boolean
): Promise<void> {
  const afterSeq = session_id === undefined ? undefined : await showNewest(client, session_id, count, json)
  let isLost = false
  let wasLive = false
  const stream = client.events({
    sessionId: session_id,
    afterSeq,
    onState: (state, error) => {
      if (state === 'lost' && !isLost)
        notice(`${wasLive ? 'The connection is lost' : whyNone(error)}; trying again ...`)
      if (state === 'live' && isLost) notice(wasLive ? 'It is back.' : 'It is there.')
      isLost = state === 'lost'
      wasLive ||= state === 'live'
    }
  })
  for await (const event of stream) {
    const text = json ? jsonLine(event) : shown(event, session_id === undefined)
    if (text !== undefined) console.log(text)
  }
  notice('The session was deleted.')
}

/** Why there was no connection yet: the address may be a wrong one. */
function whyNone(error: unknown): string {
  const why = error instanceof SharedContextError ? error.message : 'There is no connection'
  return printable(why.replace(/\.$/, ''))
}

/** @returns up to where it showed */
async function showNewest(client: SharedContext, session_id: string, count: number, json: boolean): Promise<number> {
  const { messages, last_seq } = await client.getMessages({ session_id, limit: Math.max(1, count) })
  for (const message of messages.slice(messages.length - Math.min(count, messages.length)))
    console.log(
      json
        ? jsonLine({ id: String(message.seq), event: 'message_added', data: { seq: message.seq, message } })
        : shownMessage(message)
    )
  return last_seq
}

/** @returns undefined for what says nothing to people */
function shown(event: SharedContextEvent, withSession: boolean): string | undefined {
  const session = withSession && 'session_id' in event.data ? `  ${String(event.data.session_id)}` : ''
  switch (event.event) {
    case 'message_added':
      return shownMessage(event.data.message, { withSession })
    case 'visibility_changed':
      return `#${event.data.message.id} is ${event.data.message.visibility} now${session}`
    case 'message_hidden':
    case 'message_deleted':
      return `#${event.data.message_id} was ${event.event === 'message_hidden' ? 'hidden' : 'deleted'}${session}`
    case 'session_updated':
    case 'session_closed':
      return `The session was ${event.event.slice('session_'.length)}: ${purposeOf(event.data.session)}${session}`
    case 'session_deleted':
      return `The session was deleted${session}`
    case 'task_changed': {
      const { task_id, state, title, assignee } = event.data.task
      const by = assignee === null ? '' : ` by ${printable(assignee)}`
      return `${task_id} is ${state}${by}: ${oneLine(title, 80)}${session}`
    }
    default:
      return undefined
  }
}

function purposeOf({ purpose }: { purpose: string }): string {
  return oneLine(purpose, 80)
}
