import type { Bench, Finding } from '../kit/bench.js'
import type { OwnDatabase } from '../kit/postgres.js'
import { addMessages, CONNECTIONS, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

/** How much of the service's speed without a database is left when every answer waits for a durable commit. */
export async function addMessage(bench: Bench): Promise<Finding> {
  const durable = await served(bench, 'add_message')
  const without = await served(bench, 'add_message_without', { entry: 'bench/programs/without-database.js' })
  const { tokens, sessions } = durable
  await bench.load.prepare('durable', { senders: addMessages(durable.service.port, tokens, sessions), expect: SUCCESS })
  await bench.load.prepare('without', { senders: addMessages(without.service.port, tokens, sessions), expect: SUCCESS })
  const measured = await alternate(bench, [
    loadSide(bench, 'durable', 'durable', [durable.service]),
    loadSide(bench, 'without database', 'without', [without.service])
  ])

  const written = await countMessages(durable.database)
  const answered = bench.answered.get('durable') ?? 0
  if (written !== answered) throw new Error(`${answered} writes were answered, but ${written} messages are stored.`)
  if ((await countMessages(without.database)) !== 0)
    throw new Error('The service without a database has written to it.')
  await durable.end()
  await without.end()
  return {
    rows: [
      ratioRow(
        `add_message, ${CONNECTIONS} connections, durable ÷ without the database`,
        measured,
        'durable',
        'without database',
        0.85
      )
    ],
    notes: [...sideNotes(measured), `all ${answered} answered writes were found in the database`].map(
      note => `add-message: ${note}`
    )
  }
}

async function countMessages({ query }: OwnDatabase): Promise<number> {
  const [row] = await query<{ count: number }>('select count(*)::int as count from messages')
  return row?.count as number
}
