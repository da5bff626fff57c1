import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The service as a process of its own, compiled, with everything as an operator would have it. */
export interface Replica {
  port: number
  /** Bytes of its heap and of what hangs on it, after collecting; and of the process as the system counts it. */
  memory: () => Promise<{ heap: number; process: number }>
  /** Milliseconds of CPU so far. */
  cpu: () => number
  gauge: (name: string) => Promise<number>
  stop: () => Promise<void>
}

export const API_KEY = 'bench-0123456789'
const JWT_SECRET_KEY = 'signs-the-tokens-of-a-benchmark-0123456789'
const ROOT = join(import.meta.dirname, '..', '..')
const READY_MS = 60_000

/** As `npm start` does, where the sources are newer. */
export function compile(): void {
  const { status } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', "(await import('./scripts/start.js')).build()"],
    { cwd: ROOT, stdio: ['ignore', 2, 2] }
  )
  if (status !== 0) throw new Error('The program does not compile.')
}

export async function startReplica(database_url: string): Promise<Replica> {
  const level = pathToFileURL(join(ROOT, 'test', 'replicas', 'level.mjs')).href
  const child = spawn(process.execPath, [`--import=${level}`, join(ROOT, 'dist', 'src', 'cli.js'), 'serve'], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      DATABASE_URL: database_url,
      API_KEY,
      JWT_SECRET_KEY,
      PORT: '0',
      LOG_LEVEL: 'error',
      NODE_ENV: 'production'
    },
    stdio: ['ignore', 'inherit', 'pipe']
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const gone = new Promise<void>(resolve => {
    child.once('exit', () => {
      resolve()
    })
  })
  const sentence = async (is: RegExp, from: number): Promise<string> => {
    for (
      const end = performance.now() + READY_MS;
      performance.now() < end && child.exitCode === null;
      await new Promise(resolve => setTimeout(resolve, 20))
    ) {
      const found = is.exec(said.slice(from))
      if (found !== null) return found[1] ?? ''
    }
    throw new Error(`The service did not say what it should:\n${said}`)
  }
  const stop = async () => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
    }, 30_000)
    await gone
    clearTimeout(timer)
  }
  const url = await sentence(/ready at (\S+)/, 0).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  const stat = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'latin1')
  return {
    port: Number(new URL(url).port),
    async memory() {
      const from = said.length
      child.kill('SIGUSR2')
      const { heap } = JSON.parse(await sentence(/^level (.*)$/m, from)) as { heap: number }
      return { heap, process: Number(/VmRSS:\s+(\d+) kB/.exec(stat('status'))?.[1]) * 1024 }
    },
    cpu() {
      const fields = stat('stat').split(') ')[1]?.split(' ').map(Number) ?? []
      return ((fields[11] ?? 0) + (fields[12] ?? 0)) * 10
    },
    async gauge(name) {
      const text = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text()
      return [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
        (sum, [, value]) => sum + Number(value),
        0
      )
    },
    stop
  }
}
