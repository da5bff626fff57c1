import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'
import { withWorkLock } from '../../postgres/work-lock.js'

/** Rows of one transaction: about 10 ms, so that no lock is held for long. */
export const BATCH = 500

/** Runs one batch of deletion, erasure or retention. @returns undefined if another process has its turn */
export function underLock<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T | undefined> {
  return withWorkLock(db, 'lifecycle', work)
}

/**
 * Does each work until it finds no full batch any more, each batch in a transaction of its own.
 * @param works they return how many rows they changed, at most BATCH
 * @returns whether all is done; false: the service stops, or another replica is at it
 */
export async function inBatches(
  db: Db,
  stopping: () => boolean,
  works: ReadonlyArray<(tx: Db) => Promise<number>>
): Promise<boolean> {
  for (const work of works) {
    for (let batch = BATCH; batch === BATCH;) {
      if (stopping()) return false
      const done = await underLock(db, work)
      if (done === undefined) return false
      batch = done
    }
  }
  return true
}

/** Sessions that one query searches. */
const SESSIONS = 200

/**
 * Goes through a workspace's sessions for messages: no index orders the messages of a workspace by age or sender.
 * @param condition on a row of `messages`
 * @returns pages of session ids, with those that have such a message
 */
export async function* searchSessions(
  db: Db,
  workspace: string,
  condition: RawBuilder<boolean>
): AsyncGenerator<{ ids: string[]; matching: string[] }> {
  for (let after = '', more = true; more;) {
    const { rows } = await sql<{ id: string; has: boolean }>`
      select s.id, found.has from (
        select id from sessions where workspace = ${workspace} and id > ${after} order by id limit ${SESSIONS}) s
      left join lateral (
        select true as has from messages where workspace = ${workspace} and session_id = s.id and ${condition}
        limit 1) found on true
      order by s.id`.execute(db)
    yield { ids: rows.map(({ id }) => id), matching: rows.filter(({ has }) => has).map(({ id }) => id) }
    after = rows.at(-1)?.id ?? after
    more = rows.length === SESSIONS
  }
}
