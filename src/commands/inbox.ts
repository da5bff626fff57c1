import type { InboxMessage, SharedContext } from '../../clients/typescript/src/index.js'
import { UsageError, verb, type Verbs } from './command.js'
import { CONNECTION, withServer } from './connection.js'
import { jsonWithin, mostMessages, quotedWithin } from './inbox-quotation.js'
import { readAndMark } from './inbox-reading.js'
import { milliseconds, wholeNumber } from './operands.js'

const FORMATS = ['text', 'json'] as const
const BUDGET = '1500'
const BUDGET_MIN = 200
const TIMEOUT = '2'

/** Coding agents call it at each prompt: it loads little, asks once, and does not wait for a server that is away. */
export const verbs: Verbs = {
  '': verb({
    summary:
      'Prints what an agent was written and has not acknowledged, quoted for a model to read; nothing if there is ' +
      'nothing.',
    options: {
      ...CONNECTION,
      format: { type: 'string', value: '<word>', description: 'text, or json: a message on each line; default: text' },
      budget: {
        type: 'string',
        value: '<tokens>',
        description: `print at most so many tokens, ${BUDGET_MIN} or more; default: ${BUDGET}`
      },
      once: { type: 'boolean', description: 'print each message once: what is printed counts as read' },
      ack: {
        type: 'boolean',
        description: 'acknowledge what is printed: the senders see it, and it does not come again'
      },
      timeout: {
        type: 'string',
        value: '<seconds>',
        description: `give up after so long, 0.1 to 60; default: ${TIMEOUT}`
      }
    },
    async run({ format = 'text', budget = BUDGET, once, ack, timeout = TIMEOUT, ...options }) {
      const shape = FORMATS.find(known => known === format)
      if (shape === undefined) throw new UsageError(`--format must be ${FORMATS.join(' or ')}.`)
      const tokens = wholeNumber('--budget', budget, BUDGET_MIN)
      const timeoutMs = milliseconds('--timeout', timeout, 0.1, 60)
      await withServer(options, client => print(client, { shape, tokens, once, ack }), { timeoutMs, tries: 1 })
    }
  })
}

interface Wishes {
  shape: (typeof FORMATS)[number]
  tokens: number
  once: boolean
  ack: boolean
}

async function print(client: SharedContext, { shape, tokens, once, ack }: Wishes): Promise<void> {
  // What is asked for is printed, if need be cut: with --once, what does not fit must not count as read.
  const read = (mark_read: boolean) =>
    client.getInbox({ unacked_only: true, unread_only: once, mark_read, limit: mostMessages(tokens) })
  const { inbox, error } = once ? await readAndMark(read) : { inbox: await read(false), error: undefined }
  const { messages, has_more } = inbox
  if (messages.length === 0) return
  const text = shape === 'json' ? jsonWithin(messages, tokens) : quotedWithin(messages, has_more, tokens)
  await written(text)
  if (error !== undefined) throw error
  if (ack) await client.ackMessages({ message_ids: messages.map(({ id }: InboxMessage) => id) })
}

/** Only what somebody has got is acknowledged. */
function written(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${text}\n`, error => {
      if (error instanceof Error) reject(error)
      else resolve()
    })
  })
}
