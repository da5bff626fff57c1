import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, CONNECTIONS, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { startService } from '../kit/service.js'

/** How much of the service's speed without a database is left when every answer waits for a durable commit. */
export async function addMessage (bench: Bench): Promise<Finding> {
  const { postgres, program, cleanup, load } = bench
  const stored = await postgres.createDatabase('add_message')
  const unused = await postgres.createDatabase('add_message_without')
  const durable = await startService(program, cleanup, { database_url: stored.url })
  const without = await startService(program, cleanup, { database_url: unused.url, entry: 'bench/programs/without-database.js' })

  const tokens = await durable.tokens(CONNECTIONS)
  const sessions = await durable.sessions(CONNECTIONS)
  await load.prepare('durable', { senders: addMessages(durable.port, tokens, sessions), expect: SUCCESS })
  await load.prepare('without', { senders: addMessages(without.port, tokens, sessions), expect: SUCCESS })
  const measured = await alternate(bench, [loadSide(bench, 'durable', 'durable', [durable]), loadSide(bench, 'without database', 'without', [without])])

  const written = await countMessages(stored)
  const answered = bench.answered.get('durable') ?? 0
  if (written !== answered) throw new Error(`${answered} writes were answered, but ${written} messages are stored.`)
  if (await countMessages(unused) !== 0) throw new Error('The service without a database has written to it.')

  await durable.stop()
  await without.stop()
  await stored.drop()
  await unused.drop()
  return {
    rows: [ratioRow(`add_message, ${CONNECTIONS} connections, durable ÷ without the database`, measured, 'durable', 'without database', 0.85)],
    notes: [...sideNotes(measured), `All ${answered} answered writes were found in the database.`].map(note => `add_message: ${note}`)
  }
}

async function countMessages ({ query }: { query: (text: string) => Promise<Array<Record<string, unknown>>> }): Promise<number> {
  const [row] = await query('select count(*)::int as count from messages')
  return row?.count as number
}
