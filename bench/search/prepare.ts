import { sql } from 'kysely'
import type { Db } from '../../src/db/schema.js'

/**
 * What has to happen between loading and searching. The loader writes past the service, so whatever the service would have
 * done in the background for these messages is done here, to its end.
 */
export async function prepareSearch (db: Db): Promise<void> {
  await sql`vacuum analyze messages`.execute(db)
  await sql`analyze`.execute(db)
}

/** What runs beside the service while it writes; the speed program has it run while it searches and writes. @returns its end */
export async function runSearchUpkeep (_db: Db): Promise<() => Promise<void>> {
  return async () => {}
}
