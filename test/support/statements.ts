import type { TestApp } from '../helper.js'

/**
 * Notes each time a replica takes a connection of its pool, which it does for each statement or transaction, until the
 * test ends.
 */
export function countStatements(
  t: { teardown: (fn: () => void) => unknown },
  { database: { pool } }: TestApp
): string[] {
  const asked: string[] = []
  const connect = pool.connect.bind(pool)
  t.teardown(() => Object.assign(pool, { connect }))
  Object.assign(pool, {
    async connect() {
      asked.push('a statement')
      return connect()
    }
  })
  return asked
}
