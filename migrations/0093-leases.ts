import { type Kysely, sql } from 'kysely'

/**
 * Leases on names. A lease that has ended keeps its row for an hour, so that whoever takes the name next does so under
 * the row's lock, and gets a larger token than the last holder.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table leases (
      workspace text collate "C" not null default 'default',
      name text collate "C" not null,
      holder text collate "C" not null,
      token bigint not null,
      purpose text,
      acquired_at timestamptz(3) not null default clock_timestamp(),
      expires_at timestamptz(3) not null,
      primary key (workspace, name)
    ) with (fillfactor = 70)`.execute(db)
  await sql`create index leases_ended on leases (expires_at)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table leases`.execute(db)
}
