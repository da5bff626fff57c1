import pg from 'pg'
import { environment, type HasTeardown } from '../helper.js'
import { createDatabase } from './cluster.js'

/** Databases that programs of their own use, and SQL on them. */

/** @param empty whether it lacks the tables too */
export async function databaseFor(t: HasTeardown, empty = true) {
  const { url, drop } = await createDatabase({ empty })
  t.teardown(drop)
  return { url, env: environment(url) }
}

export async function sql(url: string, text: string): Promise<any[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
