import pg from 'pg'
import { administer } from './database.js'
import type { OwnServer } from './own-server.js'

/**
 * A transaction that was rolled back is not written to disk at once. If PostgreSQL crashes before that, it gives the
 * number of that transaction to another one.
 */

/** Prepares a server for `crashWhile`. */
export async function writeLate(server: OwnServer): Promise<void> {
  await administer(server.url, "alter system set wal_writer_delay = '10s'", 'select pg_reload_conf()')
}

/**
 * Crashes PostgreSQL after `work`, while many transactions are rolled back, and starts it.
 * @returns whether it gives numbers again; where another commit has just written all to disk, it does not
 */
export async function crashWhile(server: OwnServer, work: () => Promise<void>): Promise<boolean> {
  const highest = async () => {
    const [row] = await administer(server.url, 'select pg_snapshot_xmax(pg_current_snapshot())::text as highest')
    return BigInt(row?.highest)
  }
  const other = new pg.Client({ connectionString: server.url })
  other.on('error', () => {})
  await other.connect()
  const rollBack = async (): Promise<void> =>
    other
      .query('do $$ begin for n in 1..300 loop perform pg_current_xact_id(); rollback; end loop; end $$')
      .then(rollBack, () => {})
  void rollBack()
  await work()
  const before = await highest()
  await server.stop('immediate')
  await server.start()
  return (await highest()) < before
}
