/**
 * Waking up: `npm run bench:wake`, some four minutes. How soon one who waits on a replica has what was written on
 * another, what those cost who listen, and what they take from those who write. Prints a table, and writes it to
 * wake.md.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startServer } from './search/server.js'
import { ms, table } from './search/table.js'
import type { Order, Told } from './wake/followers.js'
import { compile, type Replica, startReplica } from './wake/replica.js'
import { call, writeAsFastAsAnswered, writeAtRate } from './wake/writers.js'

const { values: flags } = parseArgs({ options: { rate: { type: 'string', default: '500' }, only: { type: 'string' } } })
const PARTS = ['latency', 'memory', 'writes']
if (flags.only !== undefined && !PARTS.includes(flags.only)) throw new Error(`--only is one of ${PARTS.join(', ')}.`)
const does = (part: string) => flags.only === undefined || flags.only === part
/** Messages a second, while what is waited for is timed. */
const RATE = Number(flags.rate)
if (!(RATE >= 1 && RATE <= 5000)) throw new Error('--rate is messages a second, from 1 to 5000.')
const RATE_SECONDS = 20
const RATE_SESSIONS = 20
const LISTENERS = 2000
const SESSIONS = 200
const WRITTEN_TO = SESSIONS / 10
const HOT = 500
const CALLERS = 16
const ROUND_SECONDS = 5
const ROUNDS = 3
/** Who is told too much to keep up catches up afterwards, at the latest after so long. */
const CATCH_UP_MS = 40_000
/** Beyond it, it has gone wrong. */
const LIMIT_MS = 6 * 60_000
const BAR = { p50_ms: 15, p99_ms: 100, bytes: 20 * 1024, writes: 0.8 }

compile()
const server = await startServer({
  useDatabaseUrl: false,
  settings: { shared_buffers: '256MB', max_wal_size: '4GB', max_connections: '100' }
})
const replicas: Replica[] = []
const child = fork(join(import.meta.dirname, 'wake', 'followers.ts'), { execArgv: ['--import=tsx'] })
let ended: Promise<void> | undefined
const end = () =>
  (ended ??= (async () => {
    child.kill('SIGKILL')
    for (const replica of replicas) await replica.stop()
    await server.stop()
  })())
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.prependOnceListener(signal, () => {
    void end().finally(() => process.exit(130))
  })
const late = setTimeout(() => {
  console.error(`Not done within ${LIMIT_MS / 1000} s.`)
  void end().finally(() => process.exit(1))
}, LIMIT_MS)

const tell = (order: Order) => ask(child, order)
const rows: string[][] = []
const notes: string[] = []
const row = (what: string, measured: string, bar = '', passes?: boolean) => {
  rows.push([what, measured, bar, passes === undefined ? '' : passes ? 'pass' : '**FAIL**'])
  console.log(`${what}: ${measured}`)
}

try {
  replicas.push(...(await Promise.all([startReplica(server.url), startReplica(server.url)])))
  const [here, there] = replicas as [Replica, Replica]
  const sessions: string[] = []
  while (sessions.length < SESSIONS)
    sessions.push((await call(here.port, 'create_session', { purpose: 'bench' })).session_id as string)

  if (does('latency')) await latency(here, there, sessions.slice(0, RATE_SESSIONS))
  if (does('memory')) await memory(there, sessions)
  if (does('writes'))
    await writes(
      'writes/s with 2000 waiters and 2000 streams on the other replica, to a tenth of their sessions',
      here,
      sessions.slice(0, WRITTEN_TO),
      LISTENERS / SESSIONS,
      async () => {
        await tell({ do: 'open', kind: 'wait', port: there.port, sessions, count: LISTENERS })
        await tell({ do: 'open', kind: 'stream', port: there.port, sessions, count: LISTENERS })
      }
    )
  const hot = sessions.slice(0, 1)
  if (does('writes'))
    await writes(
      `writes/s to one hot session with ${HOT} listening on the other replica, half of them by waiting`,
      here,
      hot,
      HOT / 2,
      async () => {
        await tell({ do: 'open', kind: 'wait', port: there.port, sessions: hot, count: HOT / 2 })
        await tell({ do: 'open', kind: 'stream', port: there.port, sessions: hot, count: HOT / 2 })
      }
    )
} finally {
  clearTimeout(late)
  await end()
}

const report = `${server.described}; two replicas, the listeners and the writers on one machine.\n\n${table(['measure', 'measured', 'bar', 'verdict'], rows)}\n\n${notes.map(note => `- ${note}`).join('\n')}\n`
console.log(`\n${report}`)
if (flags.only === undefined && RATE === 500)
  await writeFile(join(import.meta.dirname, 'wake.md'), `# Waking up\n\n\`npm run bench:wake\`: ${report}`)

async function latency(here: Replica, there: Replica, sessions: string[]): Promise<void> {
  await tell({ do: 'open', kind: 'wait', port: there.port, sessions, count: sessions.length })
  await writeAtRate(here.port, sessions, RATE, 3)
  await settle(there)
  const before = {
    here: here.cpu(),
    there: there.cpu(),
    listeners: (await tell({ do: 'tell' })).cpu,
    writers: process.cpuUsage()
  }
  const answered = await writeAtRate(here.port, sessions, RATE, RATE_SECONDS)
  await settle(there)
  const writers = process.cpuUsage(before.writers)
  const { arrived, cpu } = await tell({ do: 'close' })
  const sorted = (values: number[]) => values.sort((a, b) => a - b)
  const share = (values: number[], of: number) => values[Math.floor(values.length * of)] ?? NaN
  const latencies = sorted(arrived.map(([sent, at]) => at - sent))
  const after = sorted(arrived.map(([sent, at]) => at - (answered.get(sent) ?? NaN)))
  const writing = sorted([...answered].map(([sent, at]) => at - sent))
  const written = answered.size
  const at = (of: number) => share(latencies, of)
  const name = `from sending a message to its arrival on another replica, ${RATE}/s`
  row(`${name}: p50, ms`, ms(at(0.5)), `≤ ${BAR.p50_ms}`, at(0.5) <= BAR.p50_ms)
  row(`${name}: p99, ms`, ms(at(0.99)), `≤ ${BAR.p99_ms}`, at(0.99) <= BAR.p99_ms)
  notes.push(
    `${written} messages in ${RATE_SECONDS} s to ${sessions.length} sessions, one waiting in each; ${latencies.length} arrived, the slowest after ${ms(latencies.at(-1))} ms. The time includes writing, which was answered after ${ms(share(writing, 0.5))} ms (p99 ${ms(share(writing, 0.99))}); after that answer it took another ${ms(share(after, 0.5))} ms (p99 ${ms(share(after, 0.99))}).`
  )
  const each = (spent_ms: number) => Math.round((spent_ms * 1000) / written)
  notes.push(
    `CPU for one message: ${each(here.cpu() - before.here)} µs of the replica it is written on, ${each(there.cpu() - before.there)} µs of the one where it is waited for, ${each((writers.user + writers.system) / 1000)} µs of the writers, ${each(cpu - before.listeners)} µs of the listeners; PostgreSQL apart.`
  )
  if (latencies.length !== written) notes.push(`**${written - latencies.length} did not arrive.**`)
}

async function memory(there: Replica, sessions: string[]): Promise<void> {
  const kinds = ['idle', 'wait', 'stream'] as const
  const open = (kind: (typeof kinds)[number], count: number) =>
    tell({ do: 'open', kind, port: there.port, sessions, count })
  // What is compiled and kept once is not any listener's.
  for (const kind of kinds) await open(kind, 300)
  await closeAll(there)
  const each = new Map<string, { heap: number; process: number }>()
  for (const kind of kinds) {
    const before = await there.memory()
    await open(kind, LISTENERS)
    await settle(there)
    const after = await there.memory()
    each.set(kind, {
      heap: (after.heap - before.heap) / LISTENERS,
      process: (after.process - before.process) / LISTENERS
    })
    await closeAll(there)
  }
  const kib = (bytes: number) => (bytes / 1024).toFixed(1)
  const idle = each.get('idle') as { heap: number; process: number }
  row('KiB of one idle HTTP connection', kib(idle.heap))
  for (const [kind, name] of [
    ['wait', 'waiter'],
    ['stream', 'stream']
  ] as const) {
    const of = each.get(kind) as { heap: number; process: number }
    row(
      `KiB of one ${name} of ${LISTENERS}, beyond an idle connection`,
      `${kib(of.heap - idle.heap)}`,
      `≤ ${BAR.bytes / 1024}`,
      of.heap - idle.heap <= BAR.bytes
    )
  }
  notes.push(
    `Memory is the heap and what hangs on it, after collecting. As the system counts the process, where what was taken before is used again: ${kinds.map(kind => `${kind} ${kib((each.get(kind) as { process: number }).process)} KiB`).join(', ')}.`
  )
}

/** The same writers with nobody listening and with everybody, in turns. */
async function writes(
  name: string,
  here: Replica,
  sessions: string[],
  streamsOfEach: number,
  open: () => Promise<unknown>
): Promise<void> {
  const there = replicas[1] as Replica
  const rates = { without: [] as number[], with: [] as number[] }
  const told = { waited: 0, streamed: 0 }
  const late: number[] = []
  const spent = async () => [here.cpu(), there.cpu(), server.cpu() ?? NaN, (await tell({ do: 'cpu' })).cpu]
  const cpu = { without: [0, 0, 0, 0], with: [0, 0, 0, 0] }
  const round = async (side: 'without' | 'with') => {
    const before = await spent()
    rates[side].push(await writeAsFastAsAnswered(here.port, sessions, CALLERS, ROUND_SECONDS))
    const after = await spent()
    const rate = rates[side].at(-1) as number
    cpu[side] = cpu[side].map((sum, i) => sum + (after[i] as number) - (before[i] as number))
    return Math.round(rate * ROUND_SECONDS)
  }
  for (let n = 0; n < ROUNDS; n++) {
    await round('without')
    await open()
    await tell({ do: 'tell' })
    const written = await round('with')
    const { waited, streamed } = await tell({ do: 'tell' })
    told.waited += waited
    told.streamed += streamed
    late.push(await caughtUp(streamed, written * streamsOfEach))
    await closeAll(there)
  }
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
  const ratio = median(rates.with.map((rate, i) => rate / (rates.without[i] as number)))
  row(
    name,
    `${Math.round(median(rates.with))} of ${Math.round(median(rates.without))}: ${ratio.toFixed(2)}`,
    `≥ ${BAR.writes}`,
    ratio >= BAR.writes
  )
  const seconds = ROUNDS * ROUND_SECONDS
  const each = (side: 'without' | 'with') =>
    cpu[side]
      .map(spent => Math.round((spent * 1000) / (rates[side].reduce((sum, rate) => sum + rate, 0) * ROUND_SECONDS)))
      .join(' + ')
  notes.push(
    `${name}: by round ${rates.with.map((rate, i) => (rate / (rates.without[i] as number)).toFixed(2)).join(', ')}, ${CALLERS} callers; meanwhile ${Math.round(told.waited / seconds)} messages a second came by waiting, ${Math.round(told.streamed / seconds)} by streams. The last stream had everything ${late.map(seconds => seconds.toFixed(1)).join(', ')} s after the last message was written. CPU for one message written, of the replica that writes + the one listened on + PostgreSQL + the listeners: ${each('with')} µs; without them ${each('without')} µs.`
  )
}

/**
 * Waits until all streams together have been told as much as they should. @returns how many seconds that took; throws
 * where it is too long, or too much came
 */
async function caughtUp(streamed: number, expected: number): Promise<number> {
  const began = performance.now()
  while (streamed < expected) {
    if (performance.now() - began > CATCH_UP_MS)
      throw new Error(`Of ${expected} messages the streams were told only ${streamed}.`)
    await new Promise(resolve => setTimeout(resolve, 50))
    streamed += (await tell({ do: 'tell' })).streamed
  }
  if (streamed > expected)
    throw new Error(`The streams were told ${streamed} messages where ${expected} were written for them.`)
  return (performance.now() - began) / 1000
}

/** @returns what the listeners were told until then */
async function closeAll(replica: Replica): Promise<Told> {
  const told = await tell({ do: 'close' })
  for (const gauge of ['waiters', 'followers', 'event_streams_open', 'http_requests_in_flight']) {
    for (let tries = 0; (await replica.gauge(gauge)) > 0; tries++) {
      if (tries > 200) throw new Error(`${gauge} is not nought although nobody listens.`)
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
  return told
}

/** Until the replica has nothing left to do. */
async function settle(replica: Replica): Promise<void> {
  for (let tries = 0, before = replica.cpu(); tries < 20; tries++) {
    await new Promise(resolve => setTimeout(resolve, 500))
    const now = replica.cpu()
    if (now - before < 50) return
    before = now
  }
}

function ask(child: ChildProcess, order: Order): Promise<Told> {
  return new Promise((resolve, reject) => {
    child.once('message', ({ told, error }: { told?: Told; error?: string }) => {
      if (told === undefined) reject(new Error(error))
      else resolve(told)
    })
    child.send(order)
  })
}
