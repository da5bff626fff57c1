import { hookAnswer } from '../connect/hook-answer.js'
import { type HookMoment, hookSettings, MOMENTS } from '../connect/hooks.js'
import { meant, UsageError, verb, type Verbs } from './command.js'
import { type ConnectionOptions, withServer } from './connection.js'
import { mostMessages, quotedWithin } from './inbox-quotation.js'
import { readAndMark } from './inbox-reading.js'
import { milliseconds, wholeNumber } from './operands.js'
import { readProfile } from './profile.js'
import { isOwnKey } from './server-address.js'

/** Seconds: a coding agent waits meanwhile, and so does its user. */
const TIMEOUT = '0.8'

/**
 * What coding agents run when a session starts, the user has written a prompt, or they are about to stop. It says what
 * is new for them, and says nothing where it cannot: a coding agent must not suffer from a server that is away.
 */
export const verbs: Verbs = {
  '': verb({
    summary:
      'Prints new messages for a coding agent, in the form that its hooks have; it is made to be called by them.',
    operands: ['<client>', '<moment>'],
    options: {
      profile: { type: 'string', value: '<name>', description: 'whose inbox; default: the environment, or the client' },
      url: { type: 'string', value: '<url>', description: 'the server of the key in the environment' },
      agent: { type: 'string', value: '<agent_id>', description: 'whose inbox, where the key is for several names' },
      budget: { type: 'string', value: '<tokens>', description: 'the most that the messages may take; default: 1500' },
      timeout: {
        type: 'string',
        value: '<seconds>',
        description: `end after so long, whatever is missing, 0.1 to 60; default: ${TIMEOUT}`
      }
    },
    async run({ profile, url, agent, budget = '1500', timeout = TIMEOUT }, [client, word]) {
      const settings = hookSettings[client]
      const clients = Object.keys(hookSettings)
      if (settings === undefined)
        throw new UsageError(`<client> must be one of ${clients.join(', ')}.${meant(client, clients)}`)
      const moment = MOMENTS.find(one => one === word)
      if (moment === undefined) throw new UsageError(`<moment> must be one of ${MOMENTS.join(', ')}.`)
      const tokens = wholeNumber('--budget', budget, LEAST_TOKENS)
      // Counted from the start of the process.
      const limit_ms = milliseconds('--timeout', timeout, 0.1, 60)
      const left_ms = Math.max(100, limit_ms - Math.round(process.uptime() * 1000))
      const ended = setTimeout(() => process.exit(0), left_ms)
      // It is read at every moment: a coding agent may take a pipe that nobody reads for a fault.
      const given = input()
      try {
        // One that goes on because of a hook is not stopped again: that might never end.
        const isDone = moment === 'stop' && (await given).stop_hook_active === true
        const text = isDone
          ? undefined
          : await news(await whoAsks({ client, profile, url, agent }), moment, tokens - OWN_WORDS, left_ms)
        if (text !== undefined) process.stdout.write(`${hookAnswer(settings, moment, text)}\n`)
      } catch {
        // Nothing to say; `doctor` tells why.
      }
      await given
      clearTimeout(ended)
    }
  })
}

const LEAST_TOKENS = 300
/** Milliseconds before the end: what was got by then is printed. */
const PRINTING_MS = 60
/** Tokens of what this program adds to the quotation. */
const OWN_WORDS = 80

async function news(
  who: ConnectionOptions,
  moment: HookMoment,
  budget_tokens: number,
  timeoutMs: number
): Promise<string | undefined> {
  const isStart = moment === 'start'
  const until = performance.now() + timeoutMs - PRINTING_MS
  const { inbox } = await withServer(
    who,
    server =>
      readAndMark(mark_read =>
        // A new session knows nothing of what an earlier one has read. What is got is shown, if need be cut.
        server.getInbox(
          { unacked_only: isStart, unread_only: !isStart, mark_read, limit: mostMessages(budget_tokens) },
          { timeoutMs: Math.max(1, until - performance.now()) }
        )
      ),
    { tries: 1 }
  )
  const { messages, has_more } = inbox
  return messages.length === 0 ? undefined : quotedWithin(messages, has_more, budget_tokens)
}

/** Of the profile that is named; else of the environment; else of the profile that has the client's name. */
async function whoAsks({
  client,
  profile,
  url,
  agent
}: ConnectionOptions & { client: string }): Promise<ConnectionOptions> {
  const { SHARED_CONTEXT_API_KEY: key = '', SHARED_CONTEXT_AGENT_ID } = process.env
  if (profile !== undefined || key === '') {
    const named =
      profile ??
      (await readProfile(client).then(
        () => client,
        () => undefined
      ))
    return { url: undefined, agent, profile: named }
  }
  // With a shared key, the agent has the client's name, as over MCP.
  const name = agent ?? (isOwnKey(key) ? undefined : (SHARED_CONTEXT_AGENT_ID ?? client))
  return { url, agent: name, profile: undefined }
}

/** What the coding agent says of the moment; nothing if it says nothing. */
async function input(): Promise<Record<string, unknown>> {
  if (process.stdin.isTTY) return {}
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  try {
    return Object(JSON.parse(Buffer.concat(chunks).toString())) as Record<string, unknown>
  } catch {
    return {}
  }
}
