import { callTool } from '../connect/call.js'
import { hookAnswer, type InboxMessage, messagesWithin, quoted } from '../connect/hook-answer.js'
import { type HookMoment, hookSettings, MOMENTS } from '../connect/hooks.js'
import { callerFromHere } from './caller-from-here.js'
import { meant, UsageError, verb, type Verbs } from './command.js'

/**
 * What coding agents run when a session starts, the user has written a prompt, or they are about to stop. It says what
 * is new for them, and says nothing where it cannot: a coding agent must not suffer from a server that is away.
 */
export const verbs: Verbs = {
  '': verb({
    summary: 'Prints new messages for a coding agent, in the form that its hooks have; it is made to be called by them.',
    operands: ['<client>', '<moment>'],
    options: {
      profile: { type: 'string', value: '<name>', description: 'whose inbox; default: the environment, or the client' },
      budget: { type: 'string', value: '<tokens>', description: 'the most that the messages may take; default: 1500' }
    },
    async run({ profile, budget = '1500' }, [client, given]) {
      const settings = hookSettings[client]
      const clients = Object.keys(hookSettings)
      if (settings === undefined)
        throw new UsageError(`<client> must be one of ${clients.join(', ')}.${meant(client, clients)}`)
      const moment = MOMENTS.find(one => one === given)
      if (moment === undefined) throw new UsageError(`<moment> must be one of ${MOMENTS.join(', ')}.`)
      const tokens = /^\d{1,6}$/.test(budget) ? Number(budget) : 0
      if (tokens < LEAST_TOKENS) throw new UsageError(`--budget must be a whole number from ${LEAST_TOKENS} to 999999.`)
      const ended = setTimeout(() => process.exit(0), LIMIT_MS)
      try {
        const text = await news(client, moment, profile, tokens)
        if (text !== undefined) process.stdout.write(`${hookAnswer(settings, moment, text)}\n`)
      } catch {
        // Nothing to say; `doctor` tells why.
      }
      clearTimeout(ended)
      process.stdin.destroy()
    }
  })
}

/** Milliseconds after which the hook ends, whatever is missing. */
const LIMIT_MS = 800
const LEAST_TOKENS = 250

async function news(
  client: string,
  moment: HookMoment,
  profile: string | undefined,
  budget_tokens: number
): Promise<string | undefined> {
  // It goes on because of a hook already: stopping it again might never end.
  if (moment === 'stop' && (await input()).stop_hook_active === true) return undefined
  const caller = await callerFromHere(profile, client)
  if (caller === undefined) return undefined
  const { messages, has_more } = await callTool(
    caller,
    'get_inbox',
    {
      // A new session knows nothing of what an earlier one has read.
      ...(moment === 'start' ? { unacked_only: true } : { unread_only: true }),
      limit: messagesWithin(budget_tokens),
      mark_read: true
    },
    LIMIT_MS
  )
  const found = messages as InboxMessage[]
  return found.length === 0 ? undefined : quoted(found, has_more === true, budget_tokens)
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
