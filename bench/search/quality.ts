/**
 * How well search finds: `npm run bench:search-quality -- --size 1000 --half held-out`. Prints, and writes to
 * quality.md.
 */
import { parseArgs } from 'node:util'
import { join } from 'node:path'
import { postgresSearchers } from './baselines/postgres.js'
import { rapidfuzzSearcher } from './baselines/rapidfuzz.js'
import type { Searcher } from './baselines/searcher.js'
import { assertDeterministic, createCorpus, DEFAULT_SEED, type Half } from './corpus.js'
import { load, sessionId } from './load.js'
import { type Found } from './measure.js'
import { ours } from './ours.js'
import { prepareSearch } from './prepare.js'
import { label, type Labelled } from './queries/label.js'
import { qualityReport } from './quality-report.js'
import { writeSection } from './report-file.js'
import { inWorkspace } from '../../src/postgres/scope.js'
import { startServer } from './server.js'

/** Of each kind: asked, and made beforehand, since some turn out to mean something else. */
const ASKED = 14
const MADE = { answered: 24, unanswered: 24 }

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '1000' },
    half: { type: 'string', default: 'held-out' },
    seed: { type: 'string', default: DEFAULT_SEED },
    'use-database-url': { type: 'boolean', default: false },
    'no-baselines': { type: 'boolean', default: false },
    'show-misses': { type: 'boolean', default: false }
  }
})
const size = Number(flags.size)
if (!Number.isInteger(size) || size < 100) throw new Error('--size is a number of messages, 100 or more.')
if (flags.half !== 'dev' && flags.half !== 'held-out') throw new Error('--half is dev or held-out.')
const half: Half = flags.half

const say = (text: string) => {
  console.error(text)
}
const print = assertDeterministic(flags.seed, half)
const corpus = createCorpus(flags.seed, half)

const session = 'under-test'
say(`Making and labelling queries for ${size} messages (${half}, seed ${flags.seed}, print ${print}) …`)
const queries = label(corpus.queries(session, size, MADE), corpus.messages(session, size), ASKED)

const server = await startServer({
  useDatabaseUrl: flags['use-database-url'],
  settings: { fsync: 'off', shared_buffers: '512MB', max_wal_size: '4GB' }
})
try {
  const { db: database, pool, close } = server.connect(4)
  const db = inWorkspace(database, 'default')
  say('Loading …')
  await load(pool, rows())
  const owner = server.asOwner()
  await prepareSearch(owner.db, server.url)
  const searchers: Searcher[] = [ours(db, sessionId(1))]
  // Whom the service works as may make no tables.
  if (!flags['no-baselines'])
    searchers.push(...(await postgresSearchers(owner.db, pool, sessionId(1))), await rapidfuzzSearcher(pool))
  await owner.close()
  const answers = new Map<Searcher, Map<Labelled, Found>>()
  for (const searcher of searchers) answers.set(searcher, await ask(searcher))
  await close()
  const report = qualityReport({ size, half, seed: flags.seed, print, server: server.described, queries, answers })
  console.log(report)
  await writeSection(
    join(import.meta.dirname, 'quality.md'),
    `${half} half, ${size} messages, seed ${flags.seed}`,
    report
  )
  if (flags['show-misses']) showMisses(answers.get(searchers[0] as Searcher) as Map<Labelled, Found>)
} finally {
  await server.stop()
}

/** The session under test, and others beside it in which nothing may be found. */
function* rows() {
  for (const message of corpus.messages(session, size)) yield { ...message, session_id: sessionId(1) }
  for (const other of [2, 3])
    for (const message of corpus.messages(`beside-${other}`, Math.min(size, 500)))
      yield { ...message, session_id: sessionId(other) }
}

async function ask(searcher: Searcher): Promise<Map<Labelled, Found>> {
  const found = new Map<Labelled, Found>()
  const every = searcher.every(size)
  if (every === 0) return found
  const started = performance.now()
  for (const [i, query] of queries.entries()) if (i % every === 0) found.set(query, await searcher.find(query.text))
  say(`${searcher.name}: ${found.size} queries in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return found
}

function showMisses(found: Map<Labelled, Found>): void {
  for (const [query, got] of found) {
    const hits = got.filter(seq => query.right.has(seq)).length
    if (
      query.right.size === 0
        ? got.length === 0
        : hits === Math.min(10, query.right.size) && query.right.has(got[0] as number)
    )
      continue
    console.log(
      `${query.kind}: ${JSON.stringify(query.text)} right ${query.right.size} hits ${hits} found ${got
        .slice(0, 10)
        .map(seq => (query.right.has(seq) ? `+${seq}` : seq))
        .join(' ')}; made from ${query.target}`
    )
  }
}
