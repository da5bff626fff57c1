/**
 * How fast search is: `npm run bench:search -- --total 1000000 --minutes 15`. Prints, and writes to speed.md.
 */
import { parseArgs } from 'node:util'
import { join } from 'node:path'
import { assertDeterministic, createCorpus, DEFAULT_SEED } from './corpus.js'
import { load } from './load.js'
import { prepareSearch, runSearchUpkeep } from './prepare.js'
import { writeSection } from './report-file.js'
import { acrossWorkspaces, inWorkspace } from '../../src/postgres/scope.js'
import { startServer } from './server.js'
import { layout, PLANTED, rows, type Session } from './speed/layout.js'
import { type Question, questions, rareWords } from './speed/questions.js'
import { ALL, ALL_RARE, type Cell, LARGE, LARGEST, SMALL, SMALLEST, speedReport, WRITES } from './speed/report.js'
import { ask, run } from './speed/run.js'
import { compareWithWordSimilarity, type Ratio } from './speed/word-similarity.js'
import { write } from './speed/writes.js'

const MILLION = 1_000_000

const { values: flags } = parseArgs({
  options: {
    total: { type: 'string', default: String(MILLION) },
    minutes: { type: 'string', default: '15' },
    seed: { type: 'string', default: DEFAULT_SEED },
    'shared-buffers': { type: 'string', default: '1GB' },
    'use-database-url': { type: 'boolean', default: false }
  }
})
const total = Number(flags.total)
const minutes = Number(flags.minutes)
if (!Number.isInteger(total) || total < 1000) throw new Error('--total is a number of messages, 1000 or more.')
if (!(minutes > 0)) throw new Error('--minutes is how long to measure, after loading.')

/** How the time is shared out: with eight at a time the same number of searches takes less of it. */
const WEIGHTS = { single: 2, eight: 1, mixed: 1.5 }
/** A search that takes longer than its whole stretch should does not hold up the rest. */
const STATEMENT_TIMEOUT_MS = 30_000

const say = (text: string) => {
  console.error(text)
}
assertDeterministic(flags.seed, 'held-out')
const corpus = createCorpus(flags.seed, 'held-out')
const plan = layout(total)
const [smallest, small, large, largest] = plan.named

const server = await startServer({
  useDatabaseUrl: flags['use-database-url'],
  settings: { shared_buffers: flags['shared-buffers'], max_wal_size: '8GB' }
})
try {
  const loading = server.connect(2)
  say(`Loading ${plan.total} messages …`)
  const loadSeconds = await seconds(() =>
    load(loading.pool, rows(corpus, plan), count => {
      if (count % 50_000 === 0) say(`  ${count}`)
    })
  )
  say('Preparing search …')
  const owner = server.asOwner()
  const prepareSeconds = await seconds(() => prepareSearch(owner.db, server.url))
  await owner.close()
  await loading.close()

  const searching = server.connect(8, STATEMENT_TIMEOUT_MS)
  const writing = server.connect(8, STATEMENT_TIMEOUT_MS)
  const stopUpkeep = await runSearchUpkeep(acrossWorkspaces(writing.db))
  const measured: Array<{ where: string; session: Session | undefined; asked: Question[] }> = [
    ...[
      { where: SMALLEST, session: smallest },
      { where: SMALL, session: small },
      { where: LARGE, session: large },
      { where: LARGEST, session: largest }
    ].map(({ where, session }) => ({ where, session, asked: questions(corpus, session) })),
    { where: ALL, session: undefined, asked: questions(corpus, large) },
    { where: ALL_RARE, session: undefined, asked: rareWords(corpus, [...plan.named, ...plan.fillers]) }
  ]
  const mixed = [
    { where: SMALL, session: small, concurrency: 1 },
    { where: LARGE, session: large, concurrency: 1 },
    { where: SMALL, session: small, concurrency: 8 }
  ]
  const budget =
    (minutes * 60_000) / (measured.length * (WEIGHTS.single + WEIGHTS.eight) + mixed.length * WEIGHTS.mixed)

  const cells: Cell[] = []
  const stretch = async (
    where: string,
    session: Session | undefined,
    asked: Question[],
    concurrency: number,
    weight: number
  ) => {
    say(`${where}, ${concurrency} at a time …`)
    const started = performance.now()
    const timings = await run(inWorkspace(searching.db, 'default'), session?.id, asked, concurrency, budget * weight)
    return { where, concurrency, timings, seconds: ((performance.now() - started) / 1000) * 0.9 }
  }
  for (const { where, session, asked } of measured) {
    cells.push(await stretch(where, session, asked, 1, WEIGHTS.single))
    cells.push(await stretch(where, session, asked, 8, WEIGHTS.eight))
  }

  say('The oldest message …')
  const planted = []
  for (const query of [PLANTED.phrase, PLANTED.emoji]) {
    const started = performance.now()
    const found = await ask(inWorkspace(searching.db, 'default'), largest.id, query).catch(() => ({
      results: [],
      partial: true
    }))
    planted.push({
      query,
      found: found.results.some(({ message }) => message.seq === 1),
      ms: performance.now() - started
    })
  }

  say('word_similarity …')
  const unhurried = server.connect(1)
  const ratios: Ratio[] = []
  for (const session of [small, large])
    ratios.push(
      ...(await compareWithWordSimilarity(
        inWorkspace(searching.db, 'default'),
        unhurried.pool,
        session,
        some(questions(corpus, session))
      ))
    )
  await unhurried.close()

  for (const { where, session, concurrency } of mixed) {
    const writes = write(writing, corpus, [small, large, ...plan.fillers.slice(-18)], WRITES)
    const cell = await stretch(where, session, questions(corpus, session), concurrency, WEIGHTS.mixed)
    cells.push({ ...cell, writes: await writes.stop() })
  }
  await stopUpkeep()
  await searching.close()
  await writing.close()

  const report = speedReport({
    total: plan.total,
    complete: total >= MILLION,
    seed: flags.seed,
    server: server.described,
    loadSeconds,
    prepareSeconds,
    cells,
    ratios,
    planted
  })
  console.log(report)
  await writeSection(join(import.meta.dirname, 'speed.md'), `${plan.total} messages, seed ${flags.seed}`, report)
} finally {
  await server.stop()
}

/** One each of three kinds that people ask most. */
function some(asked: Question[]): Question[] {
  return ['exact phrase', 'transposed letters', 'scattered words'].flatMap(
    kind => asked.find(question => question.kind === kind) ?? []
  )
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
