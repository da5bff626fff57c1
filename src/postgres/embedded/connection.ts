import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Cluster } from './cluster.js'
import { draftOf, removeDrafts } from './drafts.js'
import { EmbeddedError, codeOf, messageOf } from './error.js'

const databaseName = 'shared_context'
const host = '127.0.0.1'
const user = 'postgres'

export function urlOf(cluster: Cluster, port: number, database = databaseName): string {
  return `postgres://${user}:${cluster.password}@${host}:${port}/${database}`
}

/**
 * A session in the maintenance database: advisory locks are per database, and ours must not depend on the one we serve.
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
  // A lost connection is told by `end`; without a listener `error` would end the process.
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
    // Two first starts at once: the other one has made it.
    if (!['42P04', '23505'].includes(codeOf(error)))
      throw new EmbeddedError(`The database "${databaseName}" could not be created (${messageOf(error)}).`)
  }
}

export async function localeNotices(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ datctype: string }>('select datctype from pg_database where datname = $1', [
    databaseName
  ])
  const locale = rows[0]?.datctype ?? ''
  return ['C', 'POSIX'].includes(locale)
    ? [
        `The embedded database has the locale ${locale}: search will not find words with letters outside ASCII. Set DATABASE_URL to a database with LC_CTYPE C.UTF-8 to have them found.`
      ]
    : []
}

/**
 * Where the running database is, for whoever may read it: commands, and tools such as psql. It is left when PostgreSQL
 * stops, so that the next start can have the same port and a pool that outlived a restart finds its database again.
 */
export async function writeConnectionFile(
  dataDir: string,
  cluster: Cluster,
  { pid, port }: { pid: number; port: number }
): Promise<void> {
  const path = connectionFile(dataDir)
  const draft = draftOf(path)
  await removeDrafts(path)
  try {
    const text = JSON.stringify(
      { url: urlOf(cluster, port), host, port, user, database: databaseName, pid, started: new Date().toISOString() },
      null,
      2
    )
    await writeFile(draft, `${text}\n`, { mode: 0o600 })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw new EmbeddedError(
      `The connection file ${path} cannot be written (${messageOf(error)}). Make its folder writable for the user who starts the program.`
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
