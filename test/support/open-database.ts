import pg from 'pg'
import type { Test } from 'tap'
import { connect, connectAsOwner, type Database } from '../../src/postgres/connect.js'
import type { Db } from '../../src/postgres/schema.js'
import { createDatabase } from './cluster.js'
import { connectionTo } from './connection-to.js'

/**
 * A migrated database of a test's own, without the service: the connections of the service (`database`, with a pool of
 * `max`), those of the operator's commands (`operator`), and one of its owner by hand (`owner`). All are closed, and
 * the database is dropped, when the test ends.
 */
export async function openDatabase(
  t: Pick<Test, 'teardown'>,
  { max = 4 } = {}
): Promise<{ url: string; database: Database; operator: Db; owner: pg.Client }> {
  const { url, drop } = await createDatabase()
  const database = connect(connectionTo(url, { max }))
  const operator = connectAsOwner(connectionTo(url, { max: 4 }))
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
