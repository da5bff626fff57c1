import type { Message } from '../../clients/typescript/src/index.js'
import { JSON_OUTPUT, UsageError, verb, type Verbs } from './command.js'
import { CONNECTION, withServer } from './connection.js'
import { operandText, wholeNumber } from './operands.js'
import { EITHER, sessionOf } from './session-of.js'
import { jsonLine } from './shown.js'

const VISIBILITIES: ReadonlyArray<Message['visibility']> = ['public', 'private', 'agent_only', 'direct', 'admin_only']

export const verbs: Verbs = {
  add: verb({
    summary: `Writes a message into a session, and prints its id. The text - is the standard input. ${EITHER}`,
    operands: ['<session>', '<text>'],
    options: {
      to: {
        type: 'string',
        value: '<names>',
        description: 'whom it is for: agent_ids or type:<agent_type>, by commas'
      },
      visibility: {
        type: 'string',
        value: '<word>',
        description: `one of ${VISIBILITIES.join(', ')}; default: public`
      },
      answers: { type: 'string', value: '<message_id>', description: 'the message that it answers' },
      ...CONNECTION,
      json: JSON_OUTPUT
    },
    async run({ to, visibility, answers, json, ...options }, [session, text]) {
      const word = VISIBILITIES.find(known => known === visibility)
      if (visibility !== undefined && word === undefined)
        throw new UsageError(`--visibility must be one of ${VISIBILITIES.join(', ')}.`)
      const parent_message_id = answers === undefined ? undefined : wholeNumber('--answers', answers, 1)
      const content = await operandText(text)
      const answer = await withServer(options, async client =>
        client.addMessage({
          session_id: await sessionOf(client, session),
          content,
          to: to?.split(',').map(name => name.trim()),
          visibility: word,
          parent_message_id
        })
      )
      console.log(json ? jsonLine(answer) : String(answer.message_id))
    }
  })
}
