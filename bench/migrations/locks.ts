import type pg from 'pg'

/** The locks that a migration holds when it has run each of its statements. */

/** From the weakest to the strongest. */
const MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock'
]

/** PostgreSQL itself writes them down, so that none is too short to be seen. */
export async function noteLocks(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create table bench_locks (at timestamptz default clock_timestamp(), relation text, mode text);
    create function bench_note_locks() returns event_trigger language plpgsql as $$
    begin
      insert into public.bench_locks (relation, mode)
      select c.relname, l.mode from pg_locks l join pg_class c on c.oid = l.relation
      where l.pid = pg_backend_pid() and l.granted and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
        and c.relname <> 'bench_locks';
    end $$;
    create event trigger bench_note_locks on ddl_command_end execute function bench_note_locks()`)
}

/** The strongest lock on each table, in words, taken in that time by the database's clock. */
export async function locksBetween(pool: pg.Pool, from: string, to: string): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ relation: string; mode: string }>(
    'select distinct relation, mode from bench_locks where at > $1 and at <= $2',
    [from, to]
  )
  const strongest = new Map<string, number>()
  for (const { relation, mode } of rows)
    strongest.set(relation, Math.max(strongest.get(relation) ?? 0, MODES.indexOf(mode)))
  return new Map(
    [...strongest].map(([relation, mode]) => [
      relation,
      (MODES[mode] as string)
        .replace(/Lock$/, '')
        .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
        .toLowerCase()
    ])
  )
}
