import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Cleanup } from './cleanup.js'
import { type Program, ROOT } from './program.js'

/** All services of a run have the same keys, so that each accepts the tokens of the others. */
const API_KEY = randomBytes(16).toString('hex')
const JWT_SECRET_KEY = randomBytes(32).toString('hex')

export interface Service {
  url: string
  port: number
  pid: number
  /** Milliseconds from the start of the process until it printed that it is ready. */
  started_ms: number
  call: (tool: string, args: unknown, token?: string) => Promise<Record<string, unknown>>
  /** Makes tokens, each of another agent. */
  tokens: (count: number) => Promise<string[]>
  sessions: (count: number) => Promise<string[]>
  /** Bytes of its heap, and of what hangs on it, after a collection; for a service with the options of HEAP. */
  heap: () => Promise<number>
  /** The values of /metrics that have no labels, by name. */
  metrics: () => Promise<Map<string, number>>
  /** Waits until the background work is done. */
  settle: () => Promise<void>
  stop: () => Promise<void>
}

export interface Start {
  database_url?: string
  env?: Record<string, string>
  /** The program, unless it is the service itself. */
  entry?: string
  /** Options of node. */
  node?: string[]
  /** Matches what the program prints when it is ready; the first group is its address. */
  ready?: RegExp
}

/** The heap limits that k8s/ sets. */
export const NODE_OPTIONS = /^NODE_OPTIONS=(.*)$/m.exec(
  readFileSync(join(ROOT, 'k8s', 'config.env'), 'utf8')
)?.[1] as string

/** The environment of a service, as an operator would set it. */
export function environment(
  database_url: string | undefined,
  env: Record<string, string> = {}
): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    NODE_ENV: 'production',
    NODE_OPTIONS,
    API_KEY,
    JWT_SECRET_KEY,
    PORT: '0',
    ...(database_url !== undefined && { DATABASE_URL: database_url }),
    ...env
  }
}

/** Options of node for a service whose heap is measured. */
export const HEAP = [`--import=${pathToFileURL(join(ROOT, 'test', 'replicas', 'level.mjs')).href}`]

/** Starts the compiled program, `serve` by default, and waits until it is ready. Its log is thrown away. */
export async function startService(
  program: Program,
  cleanup: Cleanup,
  { database_url, env, entry = 'src/cli.js', node = [], ready = /ready at (http:\/\/\S+)/ }: Start
): Promise<Service> {
  const began = performance.now()
  const child = spawn(process.execPath, [...node, program.file(entry), ...(entry === 'src/cli.js' ? ['serve'] : [])], {
    env: environment(database_url, env),
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const stop = cleanup.add(() => end(child))
  const url = await saidReady(child, ready)
  const started_ms = performance.now() - began

  const call: Service['call'] = async (tool, args, token) => {
    const response = await fetch(`${url}/mcp/tool/${tool}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined
          ? { 'x-api-key': API_KEY, 'x-agent-id': 'bench' }
          : { authorization: `Bearer ${token}` })
      },
      body: JSON.stringify(args)
    })
    const body = (await response.json()) as Record<string, unknown>
    if (body.success !== true) throw new Error(`${tool}: ${JSON.stringify(body)}`)
    return body
  }
  const metrics = async () => figures(await (await fetch(`${url}/metrics`)).text())
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid as number,
    started_ms,
    call,
    tokens: count =>
      each(
        count,
        async n =>
          (await call('authenticate_agent', { agent_id: `agent-${n}`, agent_type: 'bench', api_key: API_KEY }))
            .token as string
      ),
    sessions: count =>
      each(count, async n => (await call('create_session', { purpose: `bench ${n}` })).session_id as string),
    metrics,
    async heap() {
      const told = once(child.stderr, 'data') as Promise<[Buffer]>
      child.kill('SIGUSR2')
      const [line] = await told
      return (JSON.parse(line.toString().replace(/^level /, '')) as { heap: number }).heap
    },
    async settle() {
      const until = Date.now() + SETTLE_MS
      for (let wait = 50; Date.now() < until; wait = 300) {
        await new Promise(resolve => setTimeout(resolve, wait))
        const figures = await metrics()
        if (['search_index_waiting', 'audit_chain_lag_rows'].every(name => (figures.get(name) ?? 0) === 0)) return
      }
    },
    stop
  }
}

/**
 * How long to wait for the search index and the audit chain, whose background work must not slow down the next round.
 */
const SETTLE_MS = 15_000
const READY_MS = 60_000

async function saidReady(child: ChildProcess, ready: RegExp): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`The service was not ready after ${READY_MS} ms:\n${said}`))
    }, READY_MS)
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000)
      const found = ready.exec(said)
      if (found === null) return
      clearTimeout(timer)
      resolve(found[1] ?? '')
    })
    child.once('error', reject)
    child.once('exit', code => {
      clearTimeout(timer)
      reject(new Error(`The service ended with ${code}:\n${said}`))
    })
  })
}

/** Sends SIGTERM, and SIGKILL if the process has not ended after 30 s. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
  }, 30_000)
  await gone
  clearTimeout(timer)
}

async function each<T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  for (let n = 0; n < count; n++) made.push(await make(n))
  return made
}

function figures(page: string): Map<string, number> {
  const values = new Map<string, number>()
  for (const line of page.split('\n')) {
    const found = /^([a-z_0-9]+) (\S+)$/i.exec(line)
    if (found !== null) values.set(found[1] as string, Number(found[2]))
  }
  return values
}
