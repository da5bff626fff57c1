import pg from 'pg'
import type { HasTeardown, TestApp } from '../helper.js'
import { until } from './until.js'

/** A transaction of somebody else, which holds what a call needs: so others are certain to come in between. */
export interface Holding {
  query: (sql: string, values?: unknown[]) => Promise<pg.QueryResult>
  release: () => Promise<void>
}

/** @param statements what it begins with, such as `lock table audit_log in exclusive mode` */
export async function holding(
  t: HasTeardown,
  { url }: Pick<TestApp, 'url'>,
  ...statements: string[]
): Promise<Holding> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('begin')
  for (const statement of statements) await client.query(statement)
  return {
    query: (sql, values) => client.query(sql, values),
    async release() {
      await client.query('commit')
    }
  }
}

/** Waits until so many statements with these words in them wait for a lock. */
export async function waits({ database }: { database: { pool: pg.Pool } }, words: string, times = 1): Promise<void> {
  await until(async () => {
    const { rows } = await database.pool.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and position($1 in query) > 0 and pid <> pg_backend_pid()`,
      [words]
    )
    return (rows[0]?.n ?? 0) >= times
  }, `waiting: ${words}`)
}
