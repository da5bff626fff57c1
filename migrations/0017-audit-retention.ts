import { type Kysely, sql } from 'kysely'

/**
 * How long a workspace keeps audit rows, where that differs from the server's setting. Not a column of `retention`,
 * which an admin may change through the service: the audit log tells of admins too, so the service may only read this
 * one (src/postgres/row-security.ts).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_retention (
      workspace text collate "C" not null default 'default' primary key,
      -- 0 for ever.
      days integer not null check (days >= 0),
      set_at timestamptz(3) not null default clock_timestamp()
    )`.execute(db)
  // The newest head that is old enough is looked for every half hour, among one for every ten seconds.
  await sql`create index audit_heads_by_age on audit_heads (workspace, signed_at)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index audit_heads_by_age`.execute(db)
  await sql`drop table audit_retention`.execute(db)
}
