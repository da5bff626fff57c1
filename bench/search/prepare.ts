import { sql } from 'kysely'
import pg from 'pg'
import type { Db } from '../../src/postgres/schema.js'
import { fill } from '../../src/search/fill.js'
import { indexContinuously } from '../../src/search/worker.js'

/**
 * What has to happen between loading and searching. The loader writes past the service, so whatever the service would
 * have done in the background for these messages is done here, to its end.
 */
export async function prepareSearch(db: Db, url: string): Promise<void> {
  await sql`insert into search_pending (workspace, session_id, message_id) select workspace, session_id, id from messages on conflict do nothing`.execute(
    db
  )
  while ((await fill(db, undefined, 1000)) > 0);
  await sql`select merge_put_off()`.execute(db)
  // By a connection of its own: what runs for a workspace is told so before, and VACUUM must be alone.
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const table of ['messages', 'message_terms_rows', 'search_words_rows'])
      await client.query(`vacuum analyze ${table}`)
    await client.query('analyze')
  } finally {
    await client.end()
  }
}

/**
 * What runs beside the service while it writes; the speed program has it run while it searches and writes. @returns its
 * end
 */
export async function runSearchUpkeep(db: Db): Promise<() => Promise<void>> {
  const worker = indexContinuously(db, error => {
    throw error
  })
  return () => worker.close()
}
