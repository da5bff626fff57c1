import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import pino from 'pino'
import { build } from '../scripts/start.js'
import { type App, buildApp } from '../src/app.js'
import { type Config, loadConfig } from '../src/config/config.js'
import { connect, connectAsOwner, type Database } from '../src/postgres/connect.js'
import type { Db } from '../src/postgres/schema.js'
import { createDatabase } from './support/cluster.js'
import { optionsFor } from './support/database.js'

/** Boots the app as production does, on a database of its own; everything is closed when the test ends. */

export const API_KEY = 'test-agents-0123456789'
export const ADMIN_API_KEY = 'test-admins-0123456789'
export const JWT_SECRET = 'a-signing-secret-for-tests-only-0123456789'

export const ROOT = join(import.meta.dirname, '..')

/** The environment of a server on that database, as an operator would set it. */
export function environment(database_url: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    DATABASE_URL: database_url,
    API_KEY,
    ADMIN_API_KEY,
    JWT_SECRET_KEY: JWT_SECRET,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ...more
  }
}

/** What ends with a test, or with whatever stands in for one. */
export interface HasTeardown {
  teardown: (end: () => unknown) => unknown
}

export interface TestApp extends App {
  config: Config
  /**
   * Its pools; and `db`, as the database's owner, who sees every workspace. For what the service itself sees:
   * `kernel.store`.
   */
  database: Omit<Database, 'db'> & { db: Db }
  url: string
  /** Everything that was logged, one object a line; with LOG_LEVEL set. */
  logged: Array<Record<string, unknown>>
}

/** The whole app in this process, not listening: drive it with `server.inject`, or `await listen(app)` for sockets. */
export async function startApp(
  t: HasTeardown,
  more: Record<string, string> = {},
  on?: { url: string }
): Promise<TestApp> {
  const own = on ?? (await createDatabase())
  const config = loadConfig(environment(own.url, more))
  const options = optionsFor(own.url, {
    max: config.database_pool_max,
    connect_timeout_ms: config.database_connect_timeout_ms,
    statement_timeout_ms: config.statement_timeout_ms
  })
  const database = connect(options)
  const owner = connectAsOwner({ ...options, max: 4 })
  const logged: Array<Record<string, unknown>> = []
  const logger = pino(
    { level: config.log_level, timestamp: pino.stdTimeFunctions.isoTime },
    {
      write: (line: string) => {
        logged.push(JSON.parse(line) as Record<string, unknown>)
      }
    }
  )
  const app = await buildApp({
    config,
    database,
    jwt_secrets: config.jwt_secret_key as string[],
    replica: 'test-replica',
    logger
  })
  await app.server.ready()
  t.teardown(async () => {
    await app.server.close()
    await Promise.all([database.close(), owner.close()])
    if ('drop' in own) await (own as { drop: () => Promise<void> }).drop()
  })
  return { ...app, config, database: { ...database, db: owner.db }, url: own.url, logged }
}

/** Lets an app listen on a free loopback port. @returns its base address */
export async function listen(app: App): Promise<string> {
  return app.server.listen({ host: '127.0.0.1', port: 0 })
}

export interface As {
  agent_id?: string
  agent_type?: string
  /** With the admin's key. */
  admin?: boolean
  token?: string
  /** Nothing at all. */
  anonymous?: boolean
  headers?: Record<string, string>
}

/** An answer's body with its HTTP status beside it, not in it. */
export interface Answer {
  status: number
  headers: Record<string, unknown>
  body: any
}

/** One REST call in process. */
export async function call(app: App, tool: string, args: unknown = {}, as: As = {}): Promise<Answer> {
  const response = await app.server.inject({
    method: 'POST',
    url: `/mcp/tool/${tool}`,
    headers: { 'content-type': 'application/json', ...credentials(as) },
    payload: JSON.stringify(args)
  })
  return { status: response.statusCode, headers: response.headers, body: response.json() }
}

export function credentials(as: As): Record<string, string> {
  if (as.anonymous === true) return { ...as.headers }
  if (as.token !== undefined) return { authorization: `Bearer ${as.token}`, ...as.headers }
  return {
    'x-api-key': as.admin === true ? ADMIN_API_KEY : API_KEY,
    'x-agent-id': as.agent_id ?? 'agent-1',
    ...(as.agent_type !== undefined && { 'x-agent-type': as.agent_type }),
    ...as.headers
  }
}

/** A call that must succeed. @returns its body */
export async function ok(app: App, tool: string, args: unknown = {}, as: As = {}): Promise<any> {
  const { status, body } = await call(app, tool, args, as)
  if (status !== 200) throw new Error(`${tool}: ${JSON.stringify(body)}`)
  return body
}

export async function newSession(app: App, as: As = {}, purpose = 'a session for tests'): Promise<string> {
  return (await ok(app, 'create_session', { purpose }, as)).session_id as string
}

export interface Program {
  process: ChildProcess
  /** Base address, once it listens. */
  url: string
  /** All it has written so far. */
  output: () => string
  /** Sends a signal and waits for the end. @returns exit code, or the signal's name */
  stop: (signal?: NodeJS.Signals) => Promise<number | string | null>
}

let isFresh = false

/** The compiled program. It is compiled first where a source is newer: no test may run what the code was before. */
export function compiled(): string {
  if (!isFresh) build()
  isFresh = true
  return join(ROOT, 'dist', 'src', 'cli.js')
}

/** Runs the compiled program, or another file, as a process of its own. `cwd` defaults to the repository. */
export async function runProgram(
  t: HasTeardown,
  args: string[],
  env: Record<string, string>,
  { file = compiled(), cwd = ROOT, ready = /ready at (\S+)/, timeout_ms = 60_000 } = {}
): Promise<Program> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe']
  })
  let output = ''
  const ended = new Promise<number | string | null>(resolve =>
    child.once('exit', (code, signal) => {
      resolve(code ?? signal)
    })
  )
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return ended
  }
  t.teardown(() => stop('SIGKILL'))
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`Not ready after ${timeout_ms} ms:\n${output}`))
    }, timeout_ms)
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const found = ready.exec(output)
      if (found !== null) {
        clearTimeout(timer)
        resolve(found[1] ?? '')
      }
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then(code => {
      clearTimeout(timer)
      reject(new Error(`Ended with ${code}:\n${output}`))
    })
  })
  return { process: child, url, output: () => output, stop }
}

interface ProgramOptions {
  file?: string
  cwd?: string
  input?: string | Buffer
  /** Whether the output is bytes, one character each. */
  binary?: boolean
}

/** Runs the compiled program, or another file, to its end. */
export async function runToEnd(
  args: string[],
  env: Record<string, string>,
  { file = compiled(), cwd = ROOT, input = '', binary = false }: ProgramOptions = {}
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], {
      cwd,
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
      stdio: ['pipe', 'pipe', 'pipe']
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString(binary ? 'latin1' : 'utf8')
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', code => {
      resolve({ code, stdout, stderr })
    })
    child.stdin.end(input)
  })
}
