/**
 * How well search answers questions: `npm run bench:questions -- <folder>`, a folder of conversations as JSON files
 * `{"turns": [{"id", "speaker", "text"}], "questions": [{"question", "evidence": [turn ids]}]}`, such as LoCoMo's
 * (Maharana et al., ACL 2024, CC BY-NC 4.0), which does not come with this repository. Prints, and writes nothing.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inWorkspace } from '../../src/postgres/scope.js'
import { search } from '../../src/search/search.js'
import type { Message } from './corpus.js'
import { load, sessionId } from './load.js'
import { prepareSearch } from './prepare.js'
import { startServer } from './server.js'
import { share, table } from './table.js'
import { VIEWER } from './viewer.js'

interface Conversation {
  name: string
  turns: Array<{ id: string; speaker: string; text: string }>
  questions: Array<{ question: string; evidence: string[] }>
}

const BARS = { five: 0.62, ten: 0.72, at_60: 0.55, others: 0.5 }

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    'use-database-url': { type: 'boolean', default: false },
    'show-misses': { type: 'boolean', default: false }
  }
})
const [folder] = positionals
const files = folder === undefined ? [] : (await readdir(folder).catch(() => [])).filter(name => name.endsWith('.json'))
if (folder === undefined || files.length === 0) {
  console.error(
    `There are no conversations in ${folder ?? 'no folder'}: npm run bench:questions -- <folder with .json files>`
  )
  process.exit(2)
}
const conversations: Conversation[] = []
for (const file of files.sort())
  conversations.push({
    name: file,
    ...(JSON.parse(await readFile(join(folder, file), 'utf8')) as Omit<Conversation, 'name'>)
  })

const server = await startServer({
  useDatabaseUrl: flags['use-database-url'],
  settings: { fsync: 'off', shared_buffers: '512MB' }
})
try {
  const { db: database, pool, close } = server.connect(4)
  const db = inWorkspace(database, 'default')
  await load(pool, rows())
  const owner = server.asOwner()
  await prepareSearch(owner.db, server.url)
  await owner.close()

  const ask = async (session: number, question: string, threshold: number) => {
    const { results } = await search(
      db,
      VIEWER,
      question,
      { session_id: sessionId(session + 1), scope: 'all', search_metadata: true },
      threshold,
      10
    )
    return results.map(({ message }) => (conversations[session] as Conversation).turns[message.seq - 1]?.id ?? '')
  }
  const lines: string[][] = []
  const sums = { asked: 0, five: 0, ten: 0, all: 0, at_60: 0, none: 0 }
  const others = { at_0: 0, at_60: 0, results_0: 0, results_60: 0 }
  const started = performance.now()
  let searches = 0
  for (const [i, { name, questions }] of conversations.entries()) {
    const own = { asked: 0, five: 0, ten: 0, all: 0, at_60: 0, none: 0 }
    for (const { question, evidence } of questions) {
      const found = await ask(i, question, 0)
      const found_60 = await ask(i, question, 60)
      const other = (i + 1) % conversations.length
      const [elsewhere, elsewhere_60] = [await ask(other, question, 0), await ask(other, question, 60)]
      searches += 4
      others.at_0 += Number(elsewhere.length > 0)
      others.at_60 += Number(elsewhere_60.length > 0)
      others.results_0 += elsewhere.length
      others.results_60 += elsewhere_60.length
      if (evidence.length === 0) continue
      const holds = (ids: string[]) => Number(evidence.some(id => ids.includes(id)))
      own.asked++
      own.five += holds(found.slice(0, 5))
      own.ten += holds(found)
      own.all += Number(evidence.every(id => found.includes(id)))
      own.at_60 += holds(found_60)
      own.none += Number(found_60.length === 0)
      if (flags['show-misses'] && holds(found) === 0) console.log(`${name}: ${question} (${evidence.join(', ')})`)
    }
    for (const key of Object.keys(sums) as Array<keyof typeof sums>) sums[key] += own[key]
    lines.push(line(name, own))
  }
  lines.push(line('**all**', sums))
  console.log(
    table(['conversation', 'questions', 'any in 5', 'any in 10', 'all in 10', 'any in 10 at 60', 'none at 60'], lines)
  )
  const half = others.at_60 / Math.max(1, others.at_0)
  const half_results = others.results_60 / Math.max(1, others.results_0)
  console.log(
    `\nAsked of another conversation: ${others.at_0} questions are answered at 0, ${others.at_60} at 60 (${share(half)}); ` +
      `${others.results_0} results at 0, ${others.results_60} at 60 (${share(half_results)}). ` +
      `${((performance.now() - started) / searches).toFixed(1)} ms a search.\n`
  )
  const verdict = (name: string, asked: string, measured: number, passed: boolean) => [
    name,
    asked,
    share(measured),
    passed ? 'pass' : 'FAIL'
  ]
  const [five, ten, at_60] = [sums.five / sums.asked, sums.ten / sums.asked, sums.at_60 / sums.asked]
  console.log(
    table(
      ['bar', 'asked', 'measured', 'verdict'],
      [
        verdict('threshold 0: any evidence in 5', `≥ ${BARS.five}`, five, five >= BARS.five),
        verdict('threshold 0: any evidence in 10', `≥ ${BARS.ten}`, ten, ten >= BARS.ten),
        verdict('threshold 60: any evidence in 10', `≥ ${BARS.at_60}`, at_60, at_60 >= BARS.at_60),
        verdict('of another conversation: answered at 60 ÷ at 0', `≤ ${BARS.others}`, half, half <= BARS.others),
        verdict('the same, results', `≤ ${BARS.others}`, half_results, half_results <= BARS.others)
      ]
    )
  )
  await close()
} finally {
  await server.stop()
}

function line(
  name: string,
  of: { asked: number; five: number; ten: number; all: number; at_60: number; none: number }
): string[] {
  const part = (count: number) => share(count / Math.max(1, of.asked))
  return [name, String(of.asked), part(of.five), part(of.ten), part(of.all), part(of.at_60), part(of.none)]
}

function* rows() {
  for (const [i, { turns }] of conversations.entries())
    for (const [n, { speaker, text }] of turns.entries()) {
      const message: Message = {
        seq: n + 1,
        kind: 'chatter',
        sender: speaker,
        sender_type: 'person',
        content: text,
        visibility: 'public',
        metadata: {},
        timestamp: new Date(Date.UTC(2026, 0, 1) + (i * 100_000 + n) * 60_000).toISOString()
      }
      yield { ...message, session_id: sessionId(i + 1) }
    }
}
