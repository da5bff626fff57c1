/**
 * What search costs writing: `npm run bench:search-writes`. add_message as the service runs it, 64 callers at a time,
 * with the search index kept and without it, alternating; prints the ratio of the medians, and writes it to writes.md.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pino from 'pino'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config/config.js'
import { callTool } from '../../src/kernel/call.js'
import { acrossWorkspaces } from '../../src/postgres/scope.js'
import { pendingCount } from '../../src/search/fill.js'
import { createCorpus, DEFAULT_SEED } from './corpus.js'
import { writeSection } from './report-file.js'
import { startServer } from './server.js'

const CALLERS = 64
const SESSIONS = 50
const ROUNDS = 7
/** The least share of throughput that must be left. */
const BAR = 0.7
/** Counted no farther. */
const WAITING_MAX = 1_000_000

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '4' }, 'use-database-url': { type: 'boolean', default: false } }
})
const seconds = Number(flags.seconds)
if (!(seconds > 0 && seconds <= 60)) throw new Error('--seconds is the length of a round, more than 0 and at most 60.')

const messages = createCorpus(DEFAULT_SEED, 'dev').messages('writes', 5000)
const contents = [...messages].map(({ content, metadata }) => ({ content, metadata }))

interface Side {
  name: string
  write: () => Promise<number>
  waiting: () => Promise<number>
  stop: () => Promise<void>
}

/** The service on a database of its own. Without the index, what a message enters for it is dropped by the database. */
async function side(name: string, withIndex: boolean): Promise<Side> {
  const server = await startServer({
    useDatabaseUrl: flags['use-database-url'],
    settings: { shared_buffers: '256MB', max_wal_size: '4GB' }
  })
  const database = server.connect(16)
  if (!withIndex) {
    await database.pool.query("create function drop_row() returns trigger language plpgsql as 'begin return null; end'")
    await database.pool.query(
      'create trigger no_index before insert on search_pending for each row execute function drop_row()'
    )
  }
  const config = loadConfig({
    LOG_LEVEL: 'silent',
    API_KEY: 'bench-0123456789',
    RATE_LIMIT_AGENT_PER_MINUTE: '0',
    RATE_LIMIT_KEY_PER_MINUTE: '0',
    RATE_LIMIT_ADDRESS_PER_MINUTE: '0'
  })
  const { server: app, kernel } = await buildApp({
    config,
    database,
    jwt_secrets: ['x'.repeat(32)],
    replica: name,
    logger: pino({ level: 'silent' })
  })
  const caller = {
    front: 'rest' as const,
    request_id: 'bench',
    address: '127.0.0.1',
    credentials: { api_key: 'bench-0123456789', agent_id: 'writer' }
  }
  const call = async (tool: string, input: unknown) => {
    const outcome = await callTool(tool, input, caller, kernel)
    if (!outcome.ok) throw outcome.error
    return outcome.body as Record<string, unknown>
  }
  const sessions = await Promise.all(
    Array.from({ length: SESSIONS }, async () => (await call('create_session', { purpose: 'bench' })).session_id)
  )
  let next = 0
  return {
    name,
    async write() {
      const end = performance.now() + seconds * 1000
      let done = 0
      await Promise.all(
        Array.from({ length: CALLERS }, async () => {
          while (performance.now() < end) {
            const n = next++
            await call('add_message', { session_id: sessions[n % SESSIONS], ...contents[n % contents.length] })
            done++
          }
        })
      )
      return done / seconds
    },
    waiting: () => pendingCount(acrossWorkspaces(database.db), undefined, WAITING_MAX),
    async stop() {
      await app.close()
      await database.close()
      await server.stop()
    }
  }
}

const sides = [await side('with', true), await side('without', false)]
const rates = new Map(sides.map(({ name }) => [name, [] as number[]]))
const waiting: number[] = []
try {
  for (const one of sides) await one.write()
  for (let round = 0; round < ROUNDS; round++) {
    // Each goes first as often as the other.
    for (const one of round % 2 === 0 ? sides : [...sides].reverse()) {
      rates.get(one.name)?.push(await one.write())
      if (one.name !== 'with') continue
      waiting.push(await one.waiting())
      // What it has left is not to be done while the other is measured.
      while ((await one.waiting()) > 0) await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
} finally {
  for (const one of sides) await one.stop()
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
const line = (name: string) => {
  const values = rates.get(name) as number[]
  return `| ${name} | ${Math.round(median(values))} | ${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))} |`
}
const ratio = median(rates.get('with') as number[]) / median(rates.get('without') as number[])
const report = `add_message, ${CALLERS} callers, ${SESSIONS} sessions, pool 16, synchronous_commit on, ${ROUNDS} rounds of ${seconds} s, alternating.

| search index | messages/s, median | range |
|---|--:|--:|
${line('with')}
${line('without')}

| bar | asked | measured | verdict |
|---|--:|--:|--:|
| throughput with ÷ without | ≥ ${BAR} | ${ratio.toFixed(2)} | ${ratio >= BAR ? 'pass' : '**FAIL**'} |

Waiting for the index after a round: at most ${Math.max(...waiting)} messages.`
console.log(report)
await writeSection(join(import.meta.dirname, 'writes.md'), 'What the search index costs writing', report)
