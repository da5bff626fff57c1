import { type Kysely, sql } from 'kysely'

/** The tasks that are not done, which a quota counts: there may be a million others beside them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index tasks_open on tasks (workspace) where state in ('submitted', 'working', 'input_required')`.execute(
    db
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index tasks_open`.execute(db)
}
