import { type Kysely, sql } from 'kysely'

/**
 * Which transaction wrote each message and change, so that a reader of all sessions of a workspace can ask for what a
 * snapshot of it did not show (src/feed/store/workspace-feed.ts). Written by the database, so that the previous release writes
 * it too.
 *
 * What is there already gets 0, "before anybody followed": as a constant default, which rewrites nothing. The indexes
 * leave those rows out, so that making them is one look through the table, during which nobody writes: half a second
 * for a million messages.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['messages', 'session_changes']) {
    await sql`alter table ${sql.table(table)} add column xact xid8 not null default '0'`.execute(db)
    await sql`alter table ${sql.table(table)} alter column xact set default pg_current_xact_id()`.execute(db)
  }
  await sql`create index messages_by_transaction on messages (workspace, xact) where xact > '0'`.execute(db)
  await sql`create index session_changes_by_transaction on session_changes (workspace, xact) where xact > '0'`.execute(
    db
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table session_changes drop column xact`.execute(db)
  await sql`alter table messages drop column xact`.execute(db)
}
