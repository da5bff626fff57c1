import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { environment, type HasTeardown, type Program, runProgram } from '../helper.js'
import { quietPort } from '../support/ports.js'
import { until } from '../support/rest.js'

/** Replicas of the service, as processes of their own on one database. */

export interface Fleet {
  urls: string[]
  ports: number[]
  /** @returns exit code, or the signal's name */
  stop: (replica: number, signal: NodeJS.Signals) => Promise<number | string | null>
  /** @param file the compiled program, if it is not that with which the fleet began */
  start: (replica: number, file?: string) => Promise<void>
  /** A gauge of its metrics page, all labels together. */
  gauge: (replica: number, name: string) => Promise<number>
  /** What it holds when it has collected what it need not. */
  level: (replica: number) => Promise<Level>
  /** What it has written to its log, in all its lives. */
  logged: (replica: number) => string
}

export interface Level {
  /** Bytes. */
  heap: number
  /** Open handles and what else keeps it busy, by kind. */
  handles: Record<string, number>
}

export async function startFleet(
  t: HasTeardown,
  database_url: string,
  more: Record<string, string> = {},
  count = 3,
  first?: string
): Promise<Fleet> {
  const ports: number[] = []
  while (ports.length < count) ports.push(await quietPort(ports))
  const programs: Program[] = []
  const earlier = ports.map(() => '')
  const env = (port: number) =>
    environment(database_url, {
      PORT: String(port),
      LOG_LEVEL: 'warn',
      NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'level.mjs')).href}`,
      ...more
    })
  const of = (replica: number) => programs[replica] as Program
  const fleet: Fleet = {
    urls: ports.map(port => `http://127.0.0.1:${port}`),
    ports,
    async stop(replica, signal) {
      const code = await of(replica).stop(signal)
      earlier[replica] += of(replica).output()
      return code
    },
    async start(replica, file = first) {
      programs[replica] = await runProgram(t, ['serve'], env(ports[replica] as number), { file })
    },
    async gauge(replica, name) {
      const text = await (await fetch(`${fleet.urls[replica]}/metrics`, { headers: { connection: 'close' } })).text()
      const found = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))]
      if (found.length === 0) throw new Error(`There is no metric ${name}`)
      return found.reduce((sum, [, value]) => sum + Number(value), 0)
    },
    async level(replica) {
      const { process, output } = of(replica)
      const before = output().length
      const said = () => /^level (.*)$/m.exec(output().slice(before))?.[1]
      process.kill('SIGUSR2')
      await until('a replica says what it holds', () => said() !== undefined)
      return JSON.parse(said() as string) as Level
    },
    logged: replica => earlier[replica] + of(replica).output()
  }
  await Promise.all(ports.map((_, replica) => fleet.start(replica)))
  return fleet
}
