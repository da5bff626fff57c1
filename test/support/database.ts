import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Test } from 'tap'
import { connect, connectAsOwner, type Database, type DatabaseOptions } from '../../src/postgres/connect.js'
import { up } from '../../src/postgres/migrate.js'
import type { Db } from '../../src/postgres/schema.js'
import { serviceRole } from '../../src/postgres/service-role.js'
import { createDatabase } from './cluster.js'

/** Connections as the service has them, and databases of other owners. Everything is closed when the test ends. */

type More = Partial<DatabaseOptions>
type Teardown = Pick<Test, 'teardown'>

export function optionsFor(url: string, more: More = {}): DatabaseOptions {
  return {
    url,
    max: 2,
    connect_timeout_ms: 5000,
    statement_timeout_ms: 0,
    application_name: 'tests',
    onIdleError: () => {},
    ...more
  }
}

export function openService(t: Teardown, url: string, more: More = {}): Database {
  const database = connect(optionsFor(url, more))
  t.teardown(() => database.close())
  return database
}

export function openOwner(t: Teardown, url: string, more: More = {}): Db {
  const { db, close } = connectAsOwner(optionsFor(url, more))
  t.teardown(close)
  return db
}

/**
 * A migrated database of a test's own, without the service: the connections of the service (`database`, with a pool of
 * `max`), those of the operator's commands (`operator`), and one of its owner by hand (`owner`). All are closed, and
 * the database is dropped, when the test ends.
 */
export async function openDatabase(
  t: Teardown,
  { max = 4 } = {}
): Promise<{ url: string; database: Database; operator: Db; owner: pg.Client }> {
  const { url, drop } = await createDatabase()
  const database = connect(optionsFor(url, { max }))
  const operator = connectAsOwner(optionsFor(url, { max: 4 }))
  const owner = new pg.Client({ connectionString: url })
  // Some tests terminate every connection.
  owner.on('error', () => {})
  await owner.connect()
  t.teardown(async () => {
    await Promise.all([owner.end(), database.close(), operator.close()])
    await drop()
  })
  return { url, database, operator: operator.db, owner }
}

/** @returns the names of the migrations applied now */
export async function migrated(url: string, login?: string): Promise<string[]> {
  const { db, close } = connectAsOwner(optionsFor(url, { max: 1 }))
  return up(db, login).finally(close)
}

/** Runs statements on a connection of their own. @returns the rows of the last one */
export async function administer(url: string, ...statements: string[]): Promise<any[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: any[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

export interface OwnedDatabase {
  owner: string
  name: string
  url: string
  /** Runs a statement as the superuser, in this database. */
  asAdmin: (statement: string) => Promise<any[]>
  urlOf: (login: string) => string
}

/** An empty database of a new role's, who has the password `secret` and these attributes. */
export async function ownedDatabase(t: Teardown, attributes: string): Promise<OwnedDatabase> {
  const { url, name, drop } = await createDatabase({ empty: true })
  const owner = `scs_owner_${randomBytes(6).toString('hex')}`
  const asAdmin = (statement: string) => administer(url, statement)
  const urlOf = (login: string) => Object.assign(new URL(url), { username: login, password: 'secret' }).href
  await asAdmin(`create role ${owner} login password 'secret' ${attributes}`)
  await asAdmin(`alter database ${name} owner to ${owner}`)
  await asAdmin(`alter database ${name} reset scs.workspace`)
  t.teardown(async () => {
    await drop()
    const roles = [serviceRole(owner), `${owner}_app`, owner]
    await administer(
      Object.assign(new URL(url), { pathname: '/postgres' }).href,
      ...roles.map(role => `drop role if exists ${role}`)
    )
  })
  return { owner, name, url: urlOf(owner), asAdmin, urlOf }
}
