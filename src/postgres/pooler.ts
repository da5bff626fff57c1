import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { UnfitDatabase } from './faults.js'
import { processIdOf, queryWithPrefix } from './pg-internals.js'

/**
 * Poolers such as PgBouncer lend a server connection for one transaction at a time. Behind one, nothing may be left on
 * a connection: the next transaction runs on another one, and the next client's on this one.
 */

/** @param pid what pg_backend_pid() says. A pooler tells its clients process ids of its own. */
export function isPooled(client: pg.ClientBase, pid: number): boolean {
  return processIdOf(client) !== pid
}

/**
 * Whether statements can be prepared under names. A pooler either keeps account of them, and then gives them names of
 * its own, or passes them on. Passed on, the name of one client would be another client's, or not be there.
 */
export async function keepsNames(client: pg.ClientBase): Promise<boolean> {
  const name = `scs.probe.${randomBytes(8).toString('hex')}`
  const there = `select from pg_prepared_statements where name = '${name}'`
  let passedOn = false
  await queryWithPrefix(
    client,
    [
      { name, text: 'select 1' },
      {
        text: `select exists (${there})`,
        check([found]) {
          passedOn = found === 't'
          return undefined
        }
      }
    ],
    { text: `do $$ begin if exists (${there}) then execute 'deallocate "${name}"'; end if; end $$` }
  )
  return !passedOn
}

/** @throws UnfitDatabase behind a pooler: LISTEN would stay on a connection that is lent to others next */
export async function requireDirect(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  if (isPooled(client, rows[0]?.pid ?? 0))
    throw new UnfitDatabase(
      "DATABASE_URL leads through a pooler, and PostgreSQL's LISTEN does not work through one. " +
        'Set DATABASE_LISTEN_URL to an address of the server itself.'
    )
}
