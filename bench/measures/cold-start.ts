import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, Finding, Row } from '../kit/bench.js'
import { median } from '../kit/rounds.js'
import { environment, type Start, startService } from '../kit/service.js'

/**
 * How long a start takes with a data folder that is there, and what it is made of: each part is a start with one thing
 * less.
 */
export async function coldStart(bench: Bench): Promise<Finding> {
  const { program, cleanup, postgres, rounds } = bench
  const DATA_DIR = join(bench.dir, 'data')
  await mkdir(DATA_DIR, { recursive: true, mode: 0o711 })
  const own: Start = { env: { DATA_DIR } }
  const first = await startService(program, cleanup, own)
  const [session_id] = await first.sessions(1)
  for (let n = 0; n < 10; n++)
    await first.call('add_messages', {
      session_id,
      messages: Array.from({ length: 100 }, (_, i) => ({ content: `message ${n * 100 + i}` }))
    })
  await first.stop()

  const database = await postgres.createDatabase('cold_start')
  const running: Start = { database_url: database.url }
  await (await startService(program, cleanup, running)).stop()
  const times = { whole: [] as number[], running: [] as number[], modules: [] as number[], node: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    times.node.push(seconds(['-e', '0']))
    times.modules.push(seconds([program.file('src/cli.js'), '--version']))
    times.running.push(await untilReady(bench, running))
    times.whole.push(await untilReady(bench, own))
    bench.say(
      `  ${Object.entries(times)
        .map(([name, all]) => `${name} ${shown(all.at(-1) as number)}`)
        .join(', ')}`
    )
  }
  await database.drop()

  const node = median(times.node)
  const modules = median(times.modules)
  const onRunning = median(times.running)
  const whole = median(times.whole)
  const row: Row = {
    measure: 'start with an existing data folder, process start → ready',
    a: shown(whole),
    b: '',
    ratio: '',
    spread: `${shown(Math.min(...times.whole))}–${shown(Math.max(...times.whole))}`,
    bar: '',
    verdict: '–'
  }
  return {
    rows: [row],
    notes: [
      `cold-start: ${shown(whole)} = Node ${shown(node)} + loading the program ${shown(modules - node)} + connecting, checking migrations, building the service ${shown(onRunning - modules)} + starting the embedded PostgreSQL ${shown(whole - onRunning)}`,
      `cold-start: the very first start, which makes the data folder: ${shown(first.started_ms / 1000)}`
    ]
  }
}

async function untilReady({ program, cleanup }: Bench, start: Start): Promise<number> {
  const began = performance.now()
  const service = await startService(program, cleanup, start)
  const response = await fetch(`${service.url}/health/ready`)
  const took = (performance.now() - began) / 1000
  if (!response.ok) throw new Error(`/health/ready answered ${response.status}.`)
  await response.arrayBuffer()
  await service.stop()
  return took
}

function seconds(args: string[]): number {
  const began = performance.now()
  const { status } = spawnSync(process.execPath, args, { env: environment(undefined), stdio: 'ignore' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}.`)
  return (performance.now() - began) / 1000
}

const shown = (seconds: number) => `${seconds.toFixed(2)} s`
