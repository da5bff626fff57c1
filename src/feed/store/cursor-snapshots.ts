import { type RawBuilder, sql } from 'kysely'
import type { FeedCursor } from '../feed-cursor.js'
import type { Db } from '../../postgres/schema.js'

/*
 * The snapshots in the cursors of those who follow all sessions of a workspace.
 *
 * PostgreSQL may give a transaction's number again after a crash, or on a standby that takes over, if nothing of that
 * transaction was written to disk: one that was rolled back a moment before. Once a transaction has committed, its
 * number and all lower ones are never given again. So a cursor says nothing of transactions after the newest one that
 * wrote to the workspace (`upTo`).
 */

/** The snapshot of this moment, up to the newest transaction that wrote something of the workspace. */
export async function snapshotNow(db: Db, workspace: string): Promise<string> {
  const newest = (table: 'messages' | 'session_changes') =>
    db
      .selectFrom(table)
      .select('xact')
      .where('workspace', '=', workspace)
      .where(sql<boolean>`xact > '0' and xact < pg_snapshot_xmax(pg_current_snapshot())`)
      .orderBy('xact', 'desc')
      .limit(1)
  const {
    rows: [row]
  } = await sql<{ now: string; newest: string | null }>`
    select pg_current_snapshot()::text as now,
      greatest((${newest('messages')}), (${newest('session_changes')}))::text as newest`.execute(db)
  const { now, newest: last } = row as { now: string; newest: string | null }
  return upTo(now, last === null ? BEFORE_ALL : BigInt(last))
}

/** A cursor cut off as `snapshotNow` is: one of an older release may say something of later transactions. */
export async function upToNow(db: Db, workspace: string, { since, part }: FeedCursor): Promise<FeedCursor> {
  const last = lastOf(await snapshotNow(db, workspace))
  const cut = (snapshot: string) => (lastOf(snapshot) > last ? upTo(snapshot, last) : snapshot)
  return { since: cut(since), ...(part && { part: { ...part, until: cut(part.until) } }) }
}

/** The number before that of the first transaction of a server. */
const BEFORE_ALL = 2n

/** Cuts a snapshot off after a transaction: later ones count as not yet committed. */
export function upTo(snapshot: string, last: bigint): string {
  const [, , open = ''] = snapshot.split(':')
  const kept = open.split(',').filter(number => number !== '' && BigInt(number) <= last)
  return `${kept[0] ?? last + 1n}:${last + 1n}:${kept.join(',')}`
}

/** The last transaction of which a snapshot says something. */
export function lastOf(snapshot: string): bigint {
  const [, end = ''] = snapshot.split(':')
  return BigInt(end) - 1n
}

/**
 * Whether this database can have shown the cursor. After the database was set back to an earlier state, later cursors
 * mean nothing.
 */
export async function isReached(db: Db, { since, part }: FeedCursor): Promise<boolean> {
  const {
    rows: [row]
  } = await sql<{ reached: boolean }>`
    select pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmax(${part?.until ?? since}::pg_snapshot)
      as reached`.execute(db)
  return row?.reached === true
}

/** A name for this database, equal on every replica and unlike that of a copy in another server. */
export async function originOf(db: Db): Promise<string> {
  const named = (server: RawBuilder<unknown>) =>
    sql<{ name: string }>`
    select substr(md5(${server} || ':' || oid::text), 1, 6) as name from pg_database
      where datname = current_database()`.execute(db)
  // A few hosts do not let everybody ask for the server's number.
  const {
    rows: [row]
  } = await named(sql`(select system_identifier::text from pg_control_system())`).catch(() => named(sql`''`))
  return row?.name ?? ''
}
