import type { Bench, Finding } from '../kit/bench.js'
import type { OwnDatabase } from '../kit/postgres.js'
import { contents, rest, senders } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

const PAGE = 50
const SHORT = 1000

/** Whether reading the newest messages costs the same however many there are. */
export async function getMessages(bench: Bench): Promise<Finding> {
  const long = bench.full ? 1_000_000 : 200_000
  const { service, database, tokens, sessions, end } = await served(bench, 'get_messages')
  const [longSession, shortSession] = sessions as [string, string]
  bench.say(`  writing ${long} messages`)
  await fill(database, longSession, long)
  await fill(database, shortSession, SHORT)
  // What autovacuum would do in a while.
  await database.query('vacuum analyze')
  await database.query('checkpoint')
  for (const [session_id, count] of [
    [longSession, long],
    [shortSession, SHORT]
  ] as const) {
    const page = await service.call('get_messages', { session_id, limit: PAGE })
    const messages = page.messages as Array<{ seq: number }>
    if (messages.length !== PAGE || messages.at(-1)?.seq !== count)
      throw new Error(`get_messages did not answer the newest ${PAGE} of ${count}.`)
  }
  const read = (session_id: string) =>
    senders(service.port, connection => rest('get_messages', { session_id, limit: PAGE }, tokens[connection] as string))
  await bench.load.prepare('long', { senders: read(longSession), expect: `"count":${PAGE},` })
  await bench.load.prepare('short', { senders: read(shortSession), expect: `"count":${PAGE},` })
  const sides = [`of ${long}`, `of ${SHORT}`] as const
  const measured = await alternate(bench, [
    loadSide(bench, sides[0], 'long', [service]),
    loadSide(bench, sides[1], 'short', [service])
  ])
  await end()
  return {
    rows: [
      ratioRow(
        `get_messages, the newest ${PAGE} in a session of ${long} ÷ of ${SHORT}`,
        measured,
        sides[0],
        sides[1],
        0.9
      )
    ],
    notes: sideNotes(measured).map(note => `get-messages: ${note}`)
  }
}

/** As the service would have written them, with one in twenty not for everybody. */
export async function fill({ query }: OwnDatabase, session_id: string, count: number): Promise<void> {
  const said = contents(500)
  for (let from = 1; from <= count; from += BATCH) {
    const to = Math.min(count, from + BATCH - 1)
    await query(
      `
      insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata)
      select 'default', $1, n, 'agent-' || n % 64, 'bench', said.contents[1 + n % 500], case when n % 20 = 7 then 'private' else 'public' end, said.metadata[1 + n % 500]::jsonb
      from generate_series($2::int, $3::int) n, (select $4::text[] as contents, $5::text[] as metadata) said`,
      [session_id, from, to, said.map(({ content }) => content), said.map(({ metadata }) => JSON.stringify(metadata))]
    )
  }
  await query(
    `
    update sessions set last_seq = $2, last_message_at = clock_timestamp(),
      public_count = (select count(*) from messages m where m.workspace = 'default' and m.session_id = $1 and m.visibility = 'public')
    where workspace = 'default' and id = $1`,
    [session_id, count]
  )
}

const BATCH = 50_000
