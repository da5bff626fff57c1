import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Cluster } from './cluster.js'
import { EmbeddedError, codeOf, messageOf } from './error.js'
import { publish } from './files.js'

const databaseName = 'shared_context'
const host = '127.0.0.1'
const user = 'postgres'

export function urlOf(cluster: Cluster, port: number, database = databaseName): string {
  return `postgres://${user}:${cluster.password}@${host}:${port}/${database}?sslmode=disable`
}

/**
 * Connects to the maintenance database `postgres`. Advisory locks belong to a database, and these must not depend on
 * the service's own one.
 * @throws EmbeddedError if the password is wrong
 */
export async function connect(cluster: Cluster, port: number, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({
    host,
    port,
    user,
    password: cluster.password,
    database: 'postgres',
    ssl: false,
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    keepAlive: true
  })
  // The event `end` reports a lost connection. Without a listener, `error` would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => {})
    if (codeOf(error) === '28P01') {
      throw new EmbeddedError(
        `PostgreSQL in ${cluster.dir} does not accept the password that is kept there. ` +
          'If its password was changed by hand, set DATABASE_URL to that database instead.'
      )
    }
    throw error
  }
}

export async function ensureDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName])
  if (rowCount !== 0) return
  try {
    await client.query(`create database ${databaseName}`)
  } catch (error) {
    // Another first start has created it at the same time.
    if (!['42P04', '23505'].includes(codeOf(error)))
      throw new EmbeddedError(`The database "${databaseName}" could not be created (${messageOf(error)}).`)
  }
}

/**
 * Writes the address of the running database for commands and for tools such as psql. The file stays when PostgreSQL
 * stops, so that the next start uses the same port and connection pools find the database again.
 */
export async function writeConnectionFile(
  dataDir: string,
  cluster: Cluster,
  { pid, port }: { pid: number; port: number }
): Promise<void> {
  const path = connectionFile(dataDir)
  const url = urlOf(cluster, port)
  const connection = { url, host, port, user, database: databaseName, pid, started: new Date().toISOString() }
  try {
    await publish(path, draft => writeFile(draft, `${JSON.stringify(connection, null, 2)}\n`, { mode: 0o600 }))
  } catch (error) {
    throw new EmbeddedError(
      `The connection file ${path} cannot be written (${messageOf(error)}). ` +
        'Make its folder writable for the user who starts the program.'
    )
  }
}

export async function readConnectionFile(dataDir: string): Promise<{ port?: number; pid?: number }> {
  try {
    return JSON.parse(await readFile(connectionFile(dataDir), 'utf8')) as { port?: number; pid?: number }
  } catch {
    return {}
  }
}

function connectionFile(dataDir: string): string {
  return join(dataDir, 'postgres.json')
}
