import type pg from 'pg'

/**
 * Two advisory locks, held by one session of each process that uses the database. Everybody shares `inUse`; who leaves
 * tries to have it alone, and who gets it was the last and stops PostgreSQL. The one `serve` of a folder has `owner` as
 * well. The server frees both when a process dies, however it dies.
 */
export type Mode = 'serve' | 'join'
const space = 0x73637372
const inUse = 1
const owner = 2

export interface Holder {
  name: string
  pid: number | undefined
  since: Date
}
export type Taken =
  { taken: true } | { taken: false; stopping: true } | { taken: false; stopping: false; holder: Holder | undefined }

export function applicationName(mode: Mode): string {
  return `shared-context-server ${mode} pid=${process.pid}`
}

export async function takeLocks(client: pg.Client, mode: Mode): Promise<Taken> {
  if (!(await ask(client, 'pg_try_advisory_lock_shared', inUse))) return { taken: false, stopping: true }
  if (mode === 'join' || (await ask(client, 'pg_try_advisory_lock', owner))) return { taken: true }
  return { taken: false, stopping: false, holder: await findHolder(client) }
}

/**
 * Gives the locks up. True if nobody else was there: then PostgreSQL is ours to stop, and newcomers wait until it is
 * gone.
 */
export async function leave(client: pg.Client): Promise<boolean> {
  await ask(client, 'pg_advisory_unlock_shared', inUse)
  return await ask(client, 'pg_try_advisory_lock', inUse)
}

async function ask(client: pg.Client, name: string, lock: number): Promise<boolean> {
  const { rows } = await client.query<{ yes: boolean }>(`select ${name}($1::int, $2::int) as yes`, [space, lock])
  return rows[0]?.yes === true
}

async function findHolder(client: pg.Client): Promise<Holder | undefined> {
  const { rows } = await client.query<{ name: string; since: Date }>(
    `
    select a.application_name as name, a.backend_start as since
    from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.classid = $1::int::oid and l.objid = $2::int::oid and l.granted
      and l.database = (select oid from pg_database where datname = current_database())`,
    [space, owner]
  )
  const row = rows[0]
  const pid = Number(/pid=(\d+)/.exec(row?.name ?? '')?.[1])
  return row && { ...row, pid: pid > 0 ? pid : undefined }
}
