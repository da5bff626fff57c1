import { sql } from 'kysely'
import type { Db } from '../schema.js'
import { metadataValues, termsOf } from './terms.js'

/** Messages indexed in one transaction: about 30 ms of work. */
const BATCH = 500

export interface Pending { workspace: string, session_id?: string }

/**
 * Indexes messages that wait for it, in the order of their key, in one transaction that also takes them off the list.
 * @param only what a searcher waits for: then rows another process is at are waited for, not skipped, so that on return
 *   everything that was committed before is indexed
 * @returns how many were taken off the list; fewer than `limit`: nothing more waits, or another process is at it
 */
export async function fill (db: Db, only?: Pending, limit = BATCH): Promise<number> {
  return db.transaction().execute(async tx => {
    let waiting = tx.selectFrom('search_pending').select(['workspace', 'session_id', 'message_id'])
    if (only !== undefined) {
      waiting = waiting.where('workspace', '=', only.workspace)
      if (only.session_id !== undefined) waiting = waiting.where('session_id', '=', only.session_id)
    }
    waiting = waiting.orderBy('workspace').orderBy('session_id').orderBy('message_id').limit(limit).forUpdate()
    const rows = await (only === undefined ? waiting.skipLocked() : waiting).execute()
    if (rows.length === 0) return 0
    const ids = rows.map(row => row.message_id)
    // for share: a change of visibility waits for the index row, which it has to change as well.
    const { rows: messages } = await sql<{ id: number, workspace: string, session_id: string, sender: string, content: string, metadata: unknown }>`
      select id, workspace, session_id, sender, content, metadata from messages
      where (workspace, id) in (select workspace, id from unnest(${rows.map(row => row.workspace)}::text[], ${ids}::bigint[]) as wanted (workspace, id))
      for share`.execute(tx)
    const words = new Map<string, Set<string>>()
    const terms = messages.map(message => {
      const indexed = termsOf(message.session_id, [message.content, message.sender, ...metadataValues(message.metadata)])
      const known = words.get(message.workspace) ?? new Set()
      for (const word of indexed.words) known.add(word)
      words.set(message.workspace, known)
      return `{${indexed.terms.join(',')}}`
    })
    // In one order everywhere, so that two processes' inserts cannot wait for each other crosswise.
    for (const [workspace, known] of [...words].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await sql`
        insert into search_words (workspace, word)
        select ${workspace}, word from unnest(${[...known].sort()}::text[]) word
        where not exists (select from search_words known where known.workspace = ${workspace} and known.word = word.word)
        on conflict do nothing`.execute(tx)
    }
    await sql`
      insert into message_terms (workspace, message_id, session_id, sender, sender_type, visibility, timestamp, terms)
      select m.workspace, m.id, m.session_id, m.sender, m.sender_type, m.visibility, m.timestamp, indexed.terms::int4[]
      from unnest(${messages.map(message => message.workspace)}::text[], ${messages.map(message => message.id)}::bigint[], ${terms}::text[]) as indexed (workspace, id, terms)
      join messages m on m.workspace = indexed.workspace and m.id = indexed.id
      on conflict (workspace, message_id) do update set terms = excluded.terms, visibility = excluded.visibility`.execute(tx)
    await sql`
      delete from search_pending where (workspace, session_id, message_id) in (
        select * from unnest(${rows.map(row => row.workspace)}::text[], ${rows.map(row => row.session_id)}::text[], ${ids}::bigint[]))`.execute(tx)
    return rows.length
  })
}

/** How many messages wait, up to `most`. */
export async function pendingCount (db: Db, of: Pending | undefined, most: number): Promise<number> {
  let waiting = db.selectFrom('search_pending').select('message_id')
  if (of !== undefined) {
    waiting = waiting.where('workspace', '=', of.workspace)
    if (of.session_id !== undefined) waiting = waiting.where('session_id', '=', of.session_id)
  }
  const { count } = await db.selectFrom(waiting.limit(most).as('waiting')).select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
  return count
}
