import { sql } from 'kysely'
import type { Db } from '../postgres/schema.js'

/** A table whose rows belong into a backup. */
export interface Table {
  name: string
  columns: string[]
  /** The columns of its primary key, or all of them: the order of its rows. */
  order: string[]
  /** Whether its rows say to which workspace they belong. */
  has_workspace: boolean
}

/** What means nothing elsewhere: which calls wait at this moment. (Unlogged tables are left out as well.) */
const LEFT_OUT = ['agent_waits']

/**
 * The tables of the database, by name. Columns of transaction numbers (xid8) are left out: they mean nothing in another
 * database, which gives each row the number of the transaction that restores it.
 */
export async function tablesOf(db: Db): Promise<Table[]> {
  const { rows } = await sql<Table>`
    select t.relname as name, array_agg(a.attname::text order by a.attnum) as columns,
      bool_or(a.attname = 'workspace') as has_workspace,
      coalesce(
        (select array_agg(k.attname::text order by array_position(i.indkey::int2[], k.attnum))
         from pg_index i join pg_attribute k on k.attrelid = t.oid and k.attnum = any(i.indkey)
         where i.indrelid = t.oid and i.indisprimary),
        array_agg(a.attname::text order by a.attnum)) as order
    from pg_class t join pg_attribute a on a.attrelid = t.oid
    where t.relnamespace = (select relnamespace from pg_class where oid = 'messages'::regclass)
      and t.relkind = 'r' and t.relpersistence = 'p' and t.relname !~ '^(kysely_|backup_)'
      and t.relname <> all(${LEFT_OUT}::text[])
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.atttypid <> 'xid8'::regtype
    group by t.oid, t.relname order by t.relname`.execute(db)
  return rows
}

/** The first table that has a row; undefined if all are empty. `search_secret` has one from the beginning. */
export async function tableWithRows(db: Db, tables: readonly Table[]): Promise<string | undefined> {
  for (const { name } of tables) {
    if (name === 'search_secret') continue
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db)
    if (rows.length > 0) return name
  }
  return undefined
}

/**
 * The next number of each sequence, by its name. What has a number may be deleted, and numbers must not come again: ids
 * of messages are in cursors, and the tokens of leases only grow.
 */
export async function sequencesOf(db: Db): Promise<Record<string, string>> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relkind = 'S' and relnamespace = (
      select relnamespace from pg_class where oid = 'messages'::regclass) order by relname`.execute(db)
  const all: Record<string, string> = {}
  for (const { name } of rows) {
    const { rows } = await sql<{ next: string }>`
      select (last_value + is_called::int)::text as next from ${sql.table(name)}`.execute(db)
    all[name] = (rows[0] as { next: string }).next
  }
  return all
}
