import pg from 'pg'
import { freePort, startPostmaster, stopPostmaster, urlOf } from '../../src/postgres/embedded/index.js'
import { clusterIn } from '../../test/support/cluster.js'
import type { Cleanup } from './cleanup.js'

/** The bars are for durable writes: PostgreSQL flushes a write before it is answered. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  max_connections: '120'
}

export interface Postgres {
  pid: number
  /** Version and settings, for the report. */
  described: string
  /** Creates an empty database. */
  createDatabase: (name: string) => Promise<OwnDatabase>
}

export interface OwnDatabase {
  url: string
  query: <R extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<R[]>
  drop: () => Promise<void>
}

/** Starts a PostgreSQL in this folder, on 127.0.0.1. */
export async function startPostgres(dir: string, cleanup: Cleanup): Promise<Postgres> {
  const cluster = await clusterIn(dir)
  const port = await freePort()
  const starting = startPostmaster(cluster, port, SETTINGS)
  // It would outlive this process, so end it even if it is only just starting.
  cleanup.add(async () => {
    await starting.catch(() => {})
    await stopPostmaster(cluster)
  })
  const begun = await starting
  if (!('pid' in begun)) throw new Error(`PostgreSQL did not start: ${begun.problem}`)
  const admin = urlOf(cluster, port, 'postgres')
  const [row] = await once<{ version: string; fsync: string; synchronous_commit: string }>(
    admin,
    "select current_setting('server_version') as version, current_setting('fsync') as fsync, " +
      "current_setting('synchronous_commit') as synchronous_commit"
  )
  if (row?.fsync !== 'on' || row.synchronous_commit !== 'on') throw new Error('PostgreSQL does not run durably.')
  return {
    pid: begun.pid,
    described: `PostgreSQL ${row.version} (embedded; ${Object.entries(SETTINGS)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')})`,
    async createDatabase(name) {
      await once(admin, `create database ${name}`)
      const url = urlOf(cluster, port, name)
      return {
        url,
        query: (text, values) => once(url, text, values),
        async drop() {
          await once(admin, `drop database if exists ${name} with (force)`)
          await once(admin, 'checkpoint')
        }
      }
    }
  }
}

async function once<R extends pg.QueryResultRow>(url: string, text: string, values?: unknown[]): Promise<R[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query<R>(text, values)).rows
  } finally {
    await client.end()
  }
}
