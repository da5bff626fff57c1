import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import { connect, connectAsOwner, type Database } from '../../src/postgres/connect.js'
import { freePort, startPostmaster, stopPostmaster, urlOf } from '../../src/postgres/embedded/index.js'
import * as migrations from '../../src/postgres/migrate.js'
import type { Db } from '../../src/postgres/schema.js'
import { clusterIn } from '../../test/support/cluster.js'
import { cpuOfPostgres } from '../kit/cpu.js'

export interface Server {
  /** Of the database. */
  url: string
  /** A pool of its own on the migrated database. */
  connect: (max: number, statement_timeout_ms?: number) => Database
  /** As the database's owner. */
  asOwner: () => { db: Db; close: () => Promise<void> }
  /** What it runs as, for the report. */
  described: string
  /** Milliseconds of CPU so far; undefined where it is not ours, or the system does not tell. */
  cpu: () => number | undefined
  stop: () => Promise<void>
}

/**
 * A migrated database for one run: in a PostgreSQL of our own, which is gone afterwards, or in the server of
 * DATABASE_URL.
 */
export async function startServer(options: {
  useDatabaseUrl: boolean
  settings: Record<string, string>
}): Promise<Server> {
  const given = options.useDatabaseUrl ? process.env.DATABASE_URL : undefined
  if (options.useDatabaseUrl && given === undefined)
    throw new Error('--use-database-url was given, but DATABASE_URL is not set.')
  const started =
    given === undefined ? await startOwn(options.settings) : { url: given, pid: undefined, stop: async () => {} }
  const name = `scs_bench_${randomBytes(6).toString('hex')}`
  const stop = async () => {
    if (given !== undefined) await statement(given, `drop database if exists ${name} with (force)`)
    await started.stop()
  }
  // The postmaster outlives this process by design; a bench that is broken off must not leave it behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      void stop().finally(() => process.exit(130))
    })
  try {
    await statement(started.url, `create database ${name}`)
    const url = Object.assign(new URL(started.url), { pathname: `/${name}` }).href
    const open: Server['connect'] = (max, statement_timeout_ms = 0) =>
      connect({
        url,
        max,
        connect_timeout_ms: 10_000,
        statement_timeout_ms,
        application_name: 'bench',
        onIdleError: error => {
          console.error(error.message)
        }
      })
    const asOwner = () =>
      connectAsOwner({
        url,
        max: 1,
        connect_timeout_ms: 10_000,
        statement_timeout_ms: 0,
        application_name: 'bench',
        onIdleError: error => {
          console.error(error.message)
        }
      })
    const first = asOwner()
    await migrations.up(first.db)
    const {
      rows: [row]
    } = await sql<{ version: string }>`select current_setting('server_version') as version`.execute(first.db)
    await first.close()
    const settings = Object.entries(options.settings)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ')
    return {
      url,
      connect: open,
      asOwner,
      cpu: () => (started.pid === undefined ? undefined : cpuOfPostgres(started.pid)),
      stop,
      described: `PostgreSQL ${row?.version ?? '?'}${given === undefined ? ` (embedded; ${settings})` : ' (DATABASE_URL)'}`
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startOwn(
  settings: Record<string, string>
): Promise<{ url: string; pid: number | undefined; stop: () => Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), 'scs-bench-'))
  // As root PostgreSQL runs as another user, who has to get through here.
  await chmod(parent, 0o711)
  try {
    const cluster = await clusterIn(parent)
    const port = await freePort()
    const begun = await startPostmaster(cluster, port, settings)
    if (!('pid' in begun)) throw new Error(`PostgreSQL did not start: ${begun.problem}`)
    return {
      url: urlOf(cluster, port, 'postgres'),
      pid: begun.pid,
      stop: async () => {
        await stopPostmaster(cluster)
        await rm(parent, { recursive: true, force: true })
      }
    }
  } catch (error) {
    await rm(parent, { recursive: true, force: true })
    throw error
  }
}

async function statement(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  try {
    await client.connect()
    await client.query(text)
  } finally {
    await client.end()
  }
}
