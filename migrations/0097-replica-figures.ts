import { type Kysely, sql } from 'kysely'

/**
 * What each replica has measured of itself in the last hour, so that whichever answers can show all of them. It belongs
 * to no workspace. Unlogged: writing costs no flush of the log to disk, no backup holds it, and after a crash of
 * PostgreSQL it begins anew.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create unlogged table replica_figures (
      at timestamptz(3) not null default clock_timestamp(),
      -- The replica's name, and what tells two processes of one name apart.
      replica text collate "C" not null,
      figures json not null,
      primary key (at, replica)
    )`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table replica_figures`.execute(db)
}
