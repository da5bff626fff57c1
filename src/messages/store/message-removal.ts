import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'

/**
 * Who hears that messages went: whoever follows the session, by a change for each; or nobody, where they went of age.
 */
export interface Removal {
  workspace: string
  session_id: string
  ids: readonly number[]
  /** Who removes them, and what stands for their sender, for the feed. Absent: the feed says nothing. */
  told?: { changed_by: string; sender?: string }
}

/**
 * Removes messages of a session whose row the caller has locked: text, metadata, search terms, what waits for the
 * index, receipts, and the answers kept for repeats that show them. @returns how many there were, and the last seq
 * that was given
 * for it
 */
export async function removeMessages(
  tx: Db,
  { workspace, session_id, ids, told }: Removal
): Promise<{ removed: number; last_seq: number }> {
  await forget(tx, workspace, session_id, ids)
  if (told === undefined) {
    await sql`delete from session_changes where workspace = ${workspace} and session_id = ${session_id}
      and message_id = any(${ids}::bigint[])`.execute(tx)
  }
  const {
    rows: [row]
  } = await sql<{ removed: number; last_seq: number }>`
    with gone as (
      delete from messages where workspace = ${workspace} and id = any(${ids}::bigint[]) and session_id = ${session_id}
      returning id, seq, sender, sender_type, addressees, visibility, octet_length(content) + pg_column_size(metadata)
        + coalesce(octet_length(payload::text), 0) as bytes
    ), counted as (
      select count(*) as removed, count(*) filter (where visibility = 'public') as published,
        coalesce(sum(bytes), 0) as bytes
      from gone
    ), session as (
      update sessions set last_seq = last_seq + ${told === undefined ? sql`0` : sql`removed`},
        public_count = public_count - published, content_bytes = greatest(0, content_bytes - bytes)
      from counted
      where workspace = ${workspace} and id = ${session_id}
      returning last_seq, removed
    ), change as (
      insert into session_changes (workspace, session_id, seq, kind, message_id, from_visibility, changed_by, sender,
        sender_type, addressees)
      select ${workspace}, ${session_id}, session.last_seq - session.removed + row_number() over (order by gone.seq),
        'message_deleted', gone.id, gone.visibility,
             ${told?.changed_by ?? ''}, coalesce(${told?.sender ?? null}::text, gone.sender), gone.sender_type,
             gone.addressees
      from gone, session where ${told !== undefined}
    )
    select removed, last_seq from session`.execute(tx)
  return row ?? { removed: 0, last_seq: 0 }
}

/**
 * What else holds their words. The list before the index: the indexer takes them in this order, and what it is at is
 * waited for; whatever it indexes is then there to be deleted.
 */
export async function forget(tx: Db, workspace: string, session_id: string, ids: readonly number[]): Promise<void> {
  await sql`delete from search_pending where workspace = ${workspace} and session_id = ${session_id}
    and message_id = any(${ids}::bigint[])`.execute(tx)
  await sql`delete from message_terms where workspace = ${workspace} and message_id = any(${ids}::bigint[])`.execute(tx)
  await sql`delete from inbox where workspace = ${workspace} and message_id = any(${ids}::bigint[])`.execute(tx)
  await sql`delete from receipts where workspace = ${workspace} and message_id = any(${ids}::bigint[])`.execute(tx)
  await forgetAnswers(tx, workspace, session_id, ids)
}

/**
 * The answers kept for repeats that tell of a session, or of some of its messages alone. The first condition is that of
 * an index.
 */
export async function forgetAnswers(
  tx: Db,
  workspace: string,
  session_id: string,
  ids?: readonly number[]
): Promise<void> {
  const shows =
    ids === undefined
      ? sql`answer ?| array['session', 'message', 'purpose']`
      : sql`answer #>> '{message,id}' = any(${ids.map(String)}::text[])`
  await sql`
    delete from idempotency_keys
    where workspace = ${workspace} and coalesce(answer #>> '{session,id}', answer #>> '{message,session_id}',
      answer ->> 'session_id') = ${session_id}
      and jsonb_typeof(answer) = 'object' and ${shows}`.execute(tx)
}
