import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../../src/postgres/schema.js'
import { fill, pendingCount } from '../../src/search/fill.js'

/** Returns once nothing waits to be indexed any more, nor is being indexed by the service. */
export async function indexAll(db: Db): Promise<void> {
  while ((await pendingCount(db, undefined, 1)) > 0) if ((await fill(db, undefined, 1000, 1e6)) === 0) await sleep(10)
}
