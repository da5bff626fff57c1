import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { connectAsOwner } from '../src/postgres/connect.js'
import { freePort, startPostmaster, stopPostmaster, urlOf } from '../src/postgres/embedded/index.js'
import { status, up, upTo } from '../src/postgres/migrate.js'
import { settleRowSecurity } from '../src/postgres/row-security.js'
import { makeRole } from '../src/postgres/service-role.js'
import { clusterIn } from '../test/support/cluster.js'
import { endWith } from './kit/begin.js'
import { createCleanup } from './kit/cleanup.js'
import { fill } from './migrations/fill.js'
import { locksBetween, noteLocks } from './migrations/locks.js'
import { CALLERS, Watch } from './migrations/watch.js'

/**
 * How long callers wait for each migration since the last release on a database of so many messages:
 * npm run bench:migrations -- --messages 5000000
 */

const { values: options } = parseArgs({
  options: { messages: { type: 'string', default: '1000000' }, from: { type: 'string', default: '0018-seen-by-some' } }
})
const messages = Number(options.messages)
const BYTES_EACH = 4000
/** Nobody's data: it may be lost. The rest is what a database of that size would have. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '16GB',
  shared_buffers: '1GB',
  maintenance_work_mem: '512MB'
}
const CALM_MS = 3000
const LOOK_MS = 3

const cleanup = createCleanup()
const { end } = endWith(cleanup)
const say = (text: string) => {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`)
}
const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

async function main(): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir())
  if (bavail * bsize < messages * BYTES_EACH)
    throw new Error(`${messages} messages need ${Math.ceil((messages * BYTES_EACH) / 1e9)} GB in ${tmpdir()}.`)
  const dir = await mkdtemp(join(tmpdir(), 'scs-bench-'))
  cleanup.add(() => rm(dir, { recursive: true, force: true }))
  await chmod(dir, 0o711)
  const cluster = await clusterIn(dir)
  const port = await freePort()
  cleanup.add(() => stopPostmaster(cluster))
  const begun = await startPostmaster(cluster, port, SETTINGS)
  if (!('pid' in begun)) throw new Error(`PostgreSQL did not start: ${begun.problem}`)
  const url = urlOf(cluster, port, 'postgres')
  const owner = connectAsOwner({
    url,
    max: 1,
    connect_timeout_ms: 10_000,
    statement_timeout_ms: 0,
    application_name: 'bench',
    onIdleError: () => {}
  })
  cleanup.add(owner.close)
  const pool = new pg.Pool({ connectionString: url, max: 3 })
  pool.on('error', () => {})
  cleanup.add(() => pool.end())

  if (!(await upTo(owner.db, options.from))) throw new Error(`There is no migration ${options.from}.`)
  await settleRowSecurity(owner.db, await makeRole(owner.db))
  await fill(pool, messages, say)
  await noteLocks(pool)
  const watch = new Watch(url, Math.floor(messages / 100))
  cleanup.add(() => watch.end())
  const calm_from = performance.now()
  await wait(CALM_MS)
  const calm_to = performance.now()

  const tables = new Set((await pool.query<{ name: string }>(TABLES)).rows.map(({ name }) => name))
  say('migrating')
  const steps = await follow(pool)
  await up(owner.db)
  const ended = performance.now()
  const seen = await steps.end()
  await wait(CALM_MS)
  await watch.end()

  const missing = (await status(owner.db)).filter(({ applied }) => !applied)
  if (missing.length > 0 || seen.length < 2) throw new Error('Not all migrations were applied.')
  const longest = (from: number, to: number) =>
    CALLERS.map(caller => shown(watch.longest(caller, from, to))).join(' | ')
  console.log(`| migration | takes | ${CALLERS.join(' | ')} | lock on messages | exclusive locks on |`)
  console.log(`| --- |${' --- |'.repeat(CALLERS.length + 3)}`)
  console.log(`| before, for ${CALM_MS / 1000} s | | ${longest(calm_from, calm_to)} | | |`)
  for (const [i, { name, at, clock }] of seen.entries()) {
    const before = seen[i - 1]
    if (before === undefined) continue
    const locks = await locksBetween(pool, before.clock, clock)
    // Tables that a migration makes hold nobody up.
    const exclusive = [...locks].filter(([table, mode]) => mode === 'access exclusive' && tables.has(table))
    console.log(
      `| ${name} | ${shown(at - before.at)} | ${longest(before.at, at)} | ${locks.get('messages') ?? 'none'} | ` +
        `${
          exclusive
            .map(([table]) => table)
            .sort()
            .join(', ') || 'none'
        } |`
    )
  }
  console.log(`| after, for ${CALM_MS / 1000} s | | ${longest(ended, Infinity)} | | |`)
  const bytes = (await pool.query<{ bytes: string }>("select pg_database_size('postgres') as bytes")).rows[0]?.bytes
  console.log(
    `\n${messages} messages, ${(Number(bytes) / 1e9).toFixed(1)} GB; each column: what that caller waited at most. ` +
      `${watch.faults.length} statements failed. ${[...new Set(watch.faults)].join('; ')}`
  )
}

const TABLES = "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"

function shown(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

interface Seen {
  name: string
  at: number
  /** By the database's clock. */
  clock: string
}

/** Looks which migrations are committed, and when. The first entry is the one that is there already. */
async function follow(pool: pg.Pool): Promise<{ end: () => Promise<Seen[]> }> {
  const look = async () => {
    const { rows } = await pool.query<{ name: string; clock: string }>(
      'select name, clock_timestamp()::text as clock from kysely_migration order by name'
    )
    const at = performance.now()
    return rows.map(row => ({ ...row, at }))
  }
  const there = await look()
  const names = new Set(there.map(({ name }) => name))
  const seen: Seen[] = there.slice(-1)
  let over = false
  const work = (async () => {
    for (let isLast = false; !isLast; await wait(LOOK_MS)) {
      isLast = over
      for (const one of await look()) if (!names.has(one.name) && names.add(one.name)) seen.push(one)
    }
  })()
  return {
    async end() {
      over = true
      await work
      return seen
    }
  }
}

main().then(
  () => end(0),
  (error: unknown) => {
    console.error(error)
    return end(1)
  }
)
