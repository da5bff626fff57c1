import pg from 'pg'
import { administer } from './database.js'
import type { OwnServer } from './own-server.js'

/** Lets PostgreSQL write to disk late what does not commit. */
export async function writeLate(server: OwnServer): Promise<void> {
  await administer(server.url, "alter system set wal_writer_delay = '10s'", 'select pg_reload_conf()')
}

/**
 * Crashes PostgreSQL after `work`, and starts it again. Meanwhile many transactions are rolled back. PostgreSQL has
 * written none of these to disk when it crashes, so it gives their numbers again.
 * @param server one that `writeLate` has prepared
 * @param work calls `mark` when it has written; what it reads after that knows of the numbers given till then
 * @returns whether it gives numbers below the mark again; it does not where another commit has just written all to disk
 */
export async function crashAfter(
  server: OwnServer,
  work: (mark: () => Promise<void>) => Promise<void>
): Promise<boolean> {
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
  let marked = 0n
  await work(async () => {
    marked = await highest()
  })
  await server.stop('immediate')
  await server.start()
  return (await highest()) < marked
}
