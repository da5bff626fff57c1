import { sql } from 'kysely'
import type { Db } from '../postgres/schema.js'
import { databaseOf } from '../postgres/scope.js'
import { endWithinASecond } from '../postgres/statements.js'
import { termHashes } from './secret.js'
import { ENGLISH, stem } from './stems.js'
import { metadataValues, sessionTerm, termsOf, wordTerm } from './terms.js'

/** Messages indexed in one transaction. */
const BATCH = 200
/**
 * Milliseconds of taking texts apart after which others have a turn: calls would wait for it, and PostgreSQL for them.
 */
const TURN_MS = 2

/**
 * Content of one transaction's messages, in bytes; the one that passes the bound still belongs to them. Taking it apart
 * holds up everything else.
 */
const BYTES_MAX = 300_000

export interface Pending {
  workspace: string
  session_id?: string
}

interface Row {
  workspace: string
  session_id: string
  message_id: number
  seq: number
  /** Null where the message is gone. */
  sender: string | null
  sender_type: string
  visibility: string
  addressees: string[]
  timestamp: string
  content: string
  metadata: unknown
}

/**
 * Indexes messages that wait for it, in the order of their keys, in one transaction that also takes them off the list.
 * A message whose visibility changes meanwhile is put on the list again by that change (messages.ts).
 * @param only what a searcher waits for: then rows another process is at are waited for, not skipped, so that on return
 *   everything that was committed before is indexed. No statement of it takes longer than a second
 * @returns how many were taken off the list; fewer than `limit`: nothing more waits
 * @throws with `only`: what isTooLong (faults.ts) knows, after which nothing is indexed
 */
export async function fill(db: Db, only?: Pending, limit = BATCH, bytes_max = BYTES_MAX): Promise<number> {
  return index(db, 'search_pending', only, limit, bytes_max)
}

/**
 * Makes rows of the index anew that are from before terms were made as they are now. @returns how many; fewer than a
 * batch: there are no more
 */
export async function refill(db: Db): Promise<number> {
  return index(db, 'message_terms', undefined, BATCH, BYTES_MAX)
}

async function index(
  db: Db,
  from: 'search_pending' | 'message_terms',
  only: Pending | undefined,
  limit: number,
  bytes_max: number
): Promise<number> {
  const known = knownTo(db)
  const hashes = await termHashes(db)
  /** What the vocabulary may lack, by workspace. */
  const lacked = new Map<string, Set<string>>()
  const taken = await db.transaction().execute(async tx => {
    if (only !== undefined) await endWithinASecond(tx)
    let waiting = tx.selectFrom(from).select(['workspace', 'session_id', 'message_id'])
    if (from === 'message_terms') waiting = waiting.where('words', 'is', null)
    if (only !== undefined) {
      waiting = waiting.where('workspace', '=', only.workspace)
      if (only.session_id !== undefined) waiting = waiting.where('session_id', '=', only.session_id)
    }
    waiting = waiting.orderBy('workspace').orderBy('session_id').orderBy('message_id').limit(limit).forUpdate()
    const { rows } = await sql<Row>`
      with waiting as materialized (${only === undefined ? waiting.skipLocked() : waiting})
      select * from (
        select waiting.*, m.seq, m.sender, m.sender_type, m.visibility, m.addressees, m.timestamp, m.content,
          m.metadata,
          octet_length(m.content) as bytes,
          sum(octet_length(m.content)) over (
            order by waiting.workspace, waiting.session_id, waiting.message_id) as up_to_here
        from waiting left join messages m on m.workspace = waiting.workspace and m.id = waiting.message_id) sized
      where bytes is null or up_to_here - bytes < ${bytes_max}`.execute(tx)
    if (rows.length === 0) return 0

    const present = rows.filter(row => row.sender !== null)
    const terms: string[] = []
    const words: string[] = []
    let turn = performance.now()
    for (const { workspace, session_id, sender, content, metadata } of present) {
      const hash = hashes(workspace)
      const taking = termsOf(hash, [content, sender as string, ...metadataValues(metadata)])
      let step = taking.next()
      while (step.done !== true) {
        if (performance.now() - turn > TURN_MS) {
          await new Promise(resolve => {
            setImmediate(resolve)
          })
          turn = performance.now()
        }
        step = taking.next()
      }
      const indexed = step.value
      const has = known.get(workspace)
      for (const word of indexed.words) if (has?.has(word) !== true) setOf(lacked, workspace).add(word)
      const session = sessionTerm(hash, session_id)
      terms.push(`{${indexed.terms.join(',')}}`)
      words.push(`{${indexed.terms.map(term => term ^ session).join(',')}}`)
    }
    // In one order everywhere, so that two processes' inserts cannot wait for each other crosswise.
    const added = [...lacked]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([workspace, words]) =>
        [...words].sort().map(word => ({ workspace, word, term: wordTerm(hashes(workspace), stem(ENGLISH, word)) }))
      )
    const column = <T>(pick: (row: Row) => T) => present.map(pick)
    await sql`
      with words as (
        insert into search_words (workspace, word, term)
        select workspace, word, term
        from unnest(${added.map(({ workspace }) => workspace)}::text[], ${added.map(({ word }) => word)}::text[],
          ${added.map(({ term }) => term)}::int[]) as added (workspace, word, term)
        where not exists (select from search_words known
          where known.workspace = added.workspace and known.word = added.word and known.term is not null)
        on conflict (workspace, word) do update set term = excluded.term
      ), indexed as (
        insert into message_terms (workspace, message_id, session_id, sender, sender_type, visibility, timestamp, seq,
          terms, words, addressees)
        select workspace, message_id, session_id, sender, sender_type, visibility, timestamp, seq,
          terms::int4[], words::int4[], addressees::text[]
        from unnest(${column(row => row.workspace)}::text[], ${column(row => row.message_id)}::bigint[],
          ${column(row => row.session_id)}::text[], ${column(row => row.sender)}::text[],
          ${column(row => row.sender_type)}::text[], ${column(row => row.visibility)}::text[],
          ${column(row => row.timestamp)}::timestamptz[], ${column(row => row.seq)}::bigint[],
          ${terms}::text[], ${words}::text[], ${column(row => arrayText(row.addressees))}::text[])
          as indexed (workspace, message_id, session_id, sender, sender_type, visibility, timestamp, seq, terms, words,
            addressees)
        on conflict (workspace, message_id) do update set terms = excluded.terms, words = excluded.words,
          seq = excluded.seq, visibility = excluded.visibility, addressees = excluded.addressees
      )
      ${from === 'search_pending' ? sql`delete from search_pending p` : sql`delete from message_terms p`}
      using unnest(${rows.map(row => row.workspace)}::text[], ${rows.map(row => row.session_id)}::text[],
        ${rows.map(row => row.message_id)}::bigint[], ${rows.map(row => row.sender === null)}::boolean[])
        as done (workspace, session_id, message_id, gone)
      where p.workspace = done.workspace and p.session_id = done.session_id and p.message_id = done.message_id
        and ${from === 'search_pending' ? sql`true` : sql`done.gone`}`.execute(tx)
    return rows.length
  })
  // Only what has been committed is known.
  for (const [workspace, words] of lacked) for (const word of words) setOf(known, workspace).add(word)
  return taken
}

/** An array of texts as PostgreSQL reads it. */
function arrayText(values: readonly string[]): string {
  return `{${values.map(value => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

/**
 * Words that are in a database's vocabulary for certain, by workspace: it never loses any. Spares asking for the common
 * ones again and again.
 */
const vocabularies = new WeakMap<object, Map<string, Set<string>>>()
/** Beyond so many remembering begins anew: about 10 MB. */
const KNOWN_MAX = 100_000

function knownTo(db: Db): Map<string, Set<string>> {
  const database = databaseOf(db)
  let known = vocabularies.get(database)
  if (known === undefined || [...known.values()].reduce((sum, words) => sum + words.size, 0) > KNOWN_MAX)
    vocabularies.set(database, (known = new Map<string, Set<string>>()))
  return known
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  let set = sets.get(key)
  if (set === undefined) sets.set(key, (set = new Set()))
  return set
}

/** How many messages wait, up to `most`. */
export async function pendingCount(db: Db, of: Pending | undefined, most: number): Promise<number> {
  let waiting = db.selectFrom('search_pending').select('message_id')
  if (of !== undefined) {
    waiting = waiting.where('workspace', '=', of.workspace)
    if (of.session_id !== undefined) waiting = waiting.where('session_id', '=', of.session_id)
  }
  const { count } = await db
    .selectFrom(waiting.limit(most).as('waiting'))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}
