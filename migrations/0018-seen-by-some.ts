import { type Kysely, sql } from 'kysely'

/**
 * What of a session's messages that are not public one viewer sees, each by an index of its own: counting them looked
 * through all that are not public, 50 000 in a session of a million of which one in twenty is not.
 *
 * Only such messages are in them, so that building both takes about as long as reading the table twice. Writers of
 * messages wait for that.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index messages_private on messages (workspace, session_id, sender, seq desc) include (sender_type, visibility) where visibility = 'private'`.execute(
    db
  )
  await sql`create index messages_agent_only on messages (workspace, session_id, sender_type, seq desc) include (sender, visibility) where visibility = 'agent_only'`.execute(
    db
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index messages_private`.execute(db)
  await sql`drop index messages_agent_only`.execute(db)
}
