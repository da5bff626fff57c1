import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import {
  createCluster,
  findBinaries,
  freePort,
  serverAccount,
  startPostmaster,
  stopPostmaster,
  urlOf
} from '../../src/postgres/embedded/index.js'
import { connectAsOwner } from '../../src/postgres/connect.js'
import * as migrations from '../../src/postgres/migrate.js'

/**
 * The PostgreSQL that a test run uses: the server of TEST_DATABASE_URL, else one of our own, started by
 * test/support/before.ts and stopped by after.ts. One database in it, the template, is migrated; every test file gets a
 * copy of it.
 */
export interface TestServer {
  /** Of the maintenance database, for creating and dropping others. */
  url: string
  template: string
  /** What after.ts takes down; absent for TEST_DATABASE_URL. */
  cluster?: { parent: string; handle: Awaited<ReturnType<typeof createCluster>> }
}

// One file for each run, named after tap's process, which starts before.ts, the tests and after.ts alike: runs at the
// same time stay apart.
const file = join(import.meta.dirname, '..', '..', '.tap', `test-server-${process.ppid}.json`)

const MEMORY = '/dev/shm'
/** The log of changes takes up to 256 MB, a database 20 and more, and a few dozen are there at a time. */
const MEMORY_BYTES = 2 * 1024 ** 3

export async function startTestServer(): Promise<TestServer> {
  const given = process.env.TEST_DATABASE_URL
  const started = given === undefined ? await startCluster() : { url: given }
  const template = `scs_template_${randomBytes(6).toString('hex')}`
  await admin(started.url, `create database ${template}`)
  const database = connectAsOwner({
    url: withDatabase(started.url, template),
    max: 1,
    connect_timeout_ms: 10_000,
    statement_timeout_ms: 0,
    application_name: 'tests',
    onIdleError: () => {}
  })
  await migrations.up(database.db)
  await database.close()
  const server: TestServer = { ...started, template }
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, JSON.stringify(server), { mode: 0o600 })
  return server
}

/**
 * Where the system keeps a file system in memory, that: each test's database is some 1200 files, whose making takes ten
 * times as long on a disk.
 */
async function fastestFolder(): Promise<string> {
  const { bavail, bsize } = await statfs(MEMORY).catch(() => ({ bavail: 0, bsize: 0 }))
  return bavail * bsize >= MEMORY_BYTES ? MEMORY : tmpdir()
}

async function startCluster(): Promise<Pick<TestServer, 'url' | 'cluster'>> {
  const parent = await mkdtemp(join(await fastestFolder(), 'scs-test-server-'))
  // As root PostgreSQL runs as another user, who has to get through here.
  await chmod(parent, 0o711)
  const handle = await clusterIn(parent)
  const port = await freePort()
  // For tests only: they kill processes, not the machine.
  const begun = await startPostmaster(handle, port, {
    fsync: 'off',
    full_page_writes: 'off',
    max_connections: '300',
    max_wal_size: '256MB',
    shared_buffers: '64MB'
  })
  if (!('pid' in begun)) throw new Error(`The tests' PostgreSQL did not start: ${begun.problem}`)
  return { url: urlOf(handle, port, 'postgres'), cluster: { parent, handle } }
}

/** The cluster of the embedded PostgreSQL in a folder. It is made first if there is none. */
export async function clusterIn(folder: string): Promise<Awaited<ReturnType<typeof createCluster>>> {
  const account = await serverAccount()
  return createCluster({
    dir: join(folder, 'postgres'),
    binaries: await findBinaries({ account, cacheRoot: join(tmpdir(), 'scs-test-binaries') }),
    account,
    logFile: join(folder, 'postgres.log'),
    durable: false
  })
}

export async function stopTestServer(): Promise<void> {
  const { url, template, cluster } = await testServer()
  if (cluster === undefined) await admin(url, `drop database if exists ${template} with (force)`)
  else {
    await stopPostmaster(cluster.handle)
    await rm(cluster.parent, { recursive: true, force: true })
  }
  await rm(file, { force: true })
}

export async function testServer(): Promise<TestServer> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as TestServer
  } catch {
    throw new Error("The tests' PostgreSQL is not running. Run tests with tap: npx tap test/<file>.test.ts")
  }
}

/**
 * A database of one's own, a copy of the migrated template (or empty).
 * @param options more of `create database`, for an empty one
 */
export async function createDatabase({ empty = false, options = '' } = {}): Promise<{
  url: string
  name: string
  drop: () => Promise<void>
}> {
  const { url, template } = await testServer()
  const name = `scs_test_${randomBytes(6).toString('hex')}`
  // Copies of one template exclude each other for a moment.
  for (let tries = 0; ; tries++) {
    try {
      await admin(url, `create database ${name}${empty ? ` ${options}` : ` template ${template}`}`)
      // What a test asks of the database by itself, it asks of every workspace. The service says with each statement
      // for which it is.
      await admin(url, `alter database ${name} set scs.workspace = '*'`)
      break
    } catch (error) {
      if ((error as { code?: string }).code !== '55006' || tries > 100) throw error
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
  return { url: withDatabase(url, name), name, drop: () => admin(url, `drop database if exists ${name} with (force)`) }
}

function withDatabase(url: string, name: string): string {
  const of = new URL(url)
  of.pathname = `/${name}`
  return of.href
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  try {
    await client.connect()
    await client.query(statement)
  } finally {
    await client.end()
  }
}
