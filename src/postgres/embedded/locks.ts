import type pg from 'pg'

/**
 * Two advisory locks, which one connection of each process holds. All processes share IN_USE_LOCK. A process that
 * leaves tries to get it exclusively: if that succeeds, it was the last one and stops PostgreSQL. The only `serve` of a
 * folder also holds OWNER_LOCK. PostgreSQL releases both when a process dies.
 */
export type Mode = 'serve' | 'join'
const LOCK_NAMESPACE = 0x73637372
const IN_USE_LOCK = 1
const OWNER_LOCK = 2

export interface LockOwner {
  name: string
  pid: number | undefined
  since: Date
}
/** `stopping`: PostgreSQL is about to stop. `owned`: another server owns the folder. */
export type LockResult = { result: 'taken' | 'stopping' } | { result: 'owned'; owner: LockOwner | undefined }

export function applicationName(mode: Mode): string {
  return `shared-context-server ${mode} pid=${process.pid}`
}

export async function takeLocks(client: pg.Client, mode: Mode): Promise<LockResult> {
  if (!(await callLockFunction(client, 'pg_try_advisory_lock_shared', IN_USE_LOCK))) return { result: 'stopping' }
  if (mode === 'join' || (await callLockFunction(client, 'pg_try_advisory_lock', OWNER_LOCK)))
    return { result: 'taken' }
  return { result: 'owned', owner: await findOwner(client) }
}

/**
 * Releases the locks.
 * @returns true if no other process uses PostgreSQL: then this one must stop it, and new processes wait until it has
 * stopped
 */
export async function releaseLocks(client: pg.Client): Promise<boolean> {
  await callLockFunction(client, 'pg_advisory_unlock_shared', IN_USE_LOCK)
  return await callLockFunction(client, 'pg_try_advisory_lock', IN_USE_LOCK)
}

async function callLockFunction(client: pg.Client, name: string, lock: number): Promise<boolean> {
  const { rows } = await client.query<{ yes: boolean }>(`select ${name}($1::int, $2::int) as yes`, [
    LOCK_NAMESPACE,
    lock
  ])
  return rows[0]?.yes === true
}

async function findOwner(client: pg.Client): Promise<LockOwner | undefined> {
  const { rows } = await client.query<{ name: string; since: Date }>(
    `
    select a.application_name as name, a.backend_start as since
    from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.classid = $1::int::oid and l.objid = $2::int::oid and l.granted
      and l.database = (select oid from pg_database where datname = current_database())`,
    [LOCK_NAMESPACE, OWNER_LOCK]
  )
  const row = rows[0]
  const pid = Number(/pid=(\d+)/.exec(row?.name ?? '')?.[1])
  return row && { ...row, pid: pid > 0 ? pid : undefined }
}
