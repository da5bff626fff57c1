import { JSON_OUTPUT, verb, type Verbs } from './command.js'
import { CONNECTION, withServer } from './connection.js'
import { notice } from './notice.js'
import { wholeNumber } from './operands.js'
import { sessionOf } from './session-of.js'
import { jsonLine, shownMessage } from './shown.js'

export const verbs: Verbs = {
  '': verb({
    summary: 'Finds messages by what they say, best first.',
    operands: ['<query>'],
    options: {
      session: {
        type: 'string',
        value: '<session>',
        description: 'in this session alone, by its id or its key; default: in all'
      },
      limit: { type: 'string', value: '<number>', description: 'at most so many, 1 to 100; default: 10' },
      ...CONNECTION,
      json: JSON_OUTPUT
    },
    async run({ session, limit = '10', json, ...options }, [query]) {
      const most = wholeNumber('--limit', limit, 1, 100)
      const { results } = await withServer(options, async client =>
        client.searchContext({ query, session_id: await sessionOf(client, session), limit: most })
      )
      for (const result of results)
        console.log(
          json
            ? jsonLine(result)
            : `${result.score.toFixed(0).padStart(3)}  ${shownMessage(result.message, { withSession: true })}`
        )
      if (results.length === 0) notice('Nothing was found.')
    }
  })
}
