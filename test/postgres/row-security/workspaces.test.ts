import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import t from 'tap'
import { inWorkspace } from '../../../src/postgres/scope.js'
import { serviceRole } from '../../../src/postgres/service-role.js'
import { BEHIND_VIEWS, SERVICE_MAY } from '../../../src/postgres/row-security.js'
import { ROOT } from '../../helper.js'
import { createDatabase } from '../../support/cluster.js'
import { openOwner, openService } from '../../support/database.js'

/**
 * Row-level security by itself, table by table: statements without their condition, as the service runs them.
 */

const { url, drop } = await createDatabase()
t.teardown(drop)
const database = openService(t, url, { max: 4 })
const owner = openOwner(t, url)
const { db: service } = database
const ours = inWorkspace(service, 'ours')
const nobody = inWorkspace(service, undefined)

/** Columns that a table's own rules want something particular in. A new table with such a rule has an entry here. */
const PARTICULAR: Record<string, Record<string, unknown>> = {
  messages: { visibility: 'public' },
  session_changes: { kind: 'session_updated' },
  // Of another value than that of agent_memory, with which it would go.
  memory_history: { key: 'of another' }
}

interface Column {
  name: string
  type: string
  needed: boolean
}

const { rows: tables } = await sql<{ name: string; kind: string; columns: Column[] }>`
  select c.relname as name, c.relkind as kind, json_agg(json_build_object('name', a.attname, 'type',
    format_type(a.atttypid, null), 'needed', a.attnotnull and not a.atthasdef and a.attidentity = '')) as columns
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  group by c.relname, c.relkind having bool_or(a.attname = 'workspace') order by c.relname`.execute(owner)
const names = tables.map(({ name }) => name)

const BY_TYPE: Record<string, unknown> = {
  text: 'x',
  bigint: 1,
  integer: 1,
  bytea: '\\x00',
  'timestamp with time zone': '2026-01-01T00:00:00Z',
  jsonb: {},
  boolean: true,
  'text[]': [],
  'integer[]': [],
  real: 1,
  'double precision': 1
}

/** A row of that workspace, with no more than the table demands. */
function row(name: string, columns: Column[], workspace: string): Record<string, unknown> {
  const needed = columns
    .filter(column => column.needed && column.name !== 'workspace')
    .map(({ name, type }) => [name, name === 'key_id' ? workspace : BY_TYPE[type]])
  return {
    ...Object.fromEntries(needed),
    ...(name === 'mcp_sessions' && { id_hash: `\\x${Buffer.from(workspace).toString('hex')}` }),
    ...PARTICULAR[name],
    workspace
  }
}

/** As JSON, so that no value needs a type of ours; columns that are not given have their defaults. */
function insertion(into: string, as: string, values: Record<string, unknown>) {
  const columns = sql.join(Object.keys(values).map(column => sql.id(column)))
  return sql`insert into ${sql.table(into)} (${columns}) select ${columns}
    from jsonb_populate_record(null::${sql.table(as)}, ${JSON.stringify(values)}::jsonb)`
}

for (const { name, columns } of tables) {
  for (const workspace of ['ours', 'theirs']) {
    await owner.transaction().execute(async tx => {
      // Neither triggers nor foreign keys: only this table's row is wanted.
      await sql`set local session_replication_role = replica`.execute(tx)
      await insertion(name, name, row(name, columns, workspace)).execute(tx)
    })
  }
}

t.test('each table with a workspace has a policy that holds for its owner too, or cannot be touched', async t => {
  const { rows } = await sql<{ name: string; enabled: boolean; policies: number }>`
    select relname as name, relrowsecurity and relforcerowsecurity as enabled, (select count(*)
      from pg_policy where polrelid = c.oid) as policies
    from pg_class c where relnamespace = 'public'::regnamespace and relname = any(${names}::text[])
      order by relname`.execute(owner)
  t.ok(rows.length > 10)
  t.same(
    rows.filter(({ name, enabled, policies }) => !(name in BEHIND_VIEWS) && !(enabled && policies === 1)),
    []
  )
})

t.test('the service works as a role that owns nothing and passes by nothing', async t => {
  const {
    rows: [who]
  } = await sql<{ name: string; is_super: boolean; bypasses: boolean; logs_in: boolean; owned: number }>`
    select rolname as name, rolsuper as is_super, rolbypassrls as bypasses, rolcanlogin as logs_in,
      (select count(*) from pg_class where relowner = pg_roles.oid) as owned
    from pg_roles where rolname = current_user`.execute(ours)
  const {
    rows: [login]
  } = await sql<{ name: string }>`select current_user as name`.execute(owner)
  t.same(who, { name: serviceRole(login?.name as string), is_super: false, bypasses: false, logs_in: false, owned: 0 })
  await t.rejects(sql`alter table messages disable row level security`.execute(ours))
  await t.rejects(sql`drop policy own_workspace on messages`.execute(ours))
  await t.rejects(sql`create table of_its_own ()`.execute(ours))
})

for (const { name, columns } of tables) {
  const seen = BEHIND_VIEWS[name] ?? name
  const may = SERVICE_MAY[seen] ?? ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
  t.test(`${seen}: what forgets its condition finds and changes what is one's own`, async t => {
    if (name !== seen)
      await t.rejects(sql`select from ${sql.table(name)}`.execute(ours), { code: '42501' }, 'only by its view')
    const all = sql<{ workspace: string }>`select workspace from ${sql.table(seen)}`
    t.ok(
      (await all.execute(owner)).rows.some(({ workspace }) => workspace === 'theirs'),
      'there is a neighbour'
    )
    t.same((await all.execute(ours)).rows, [{ workspace: 'ours' }], 'read')
    t.same((await all.execute(nobody)).rows, [], 'read by nobody')
    t.same(
      (await ours.transaction().execute(tx => all.execute(tx))).rows,
      [{ workspace: 'ours' }],
      'read in a transaction'
    )
    t.same(
      (await sql`select from ${sql.table(seen)} where workspace = 'theirs'`.execute(ours)).rows,
      [],
      'asked for by name'
    )

    await t.rejects(
      insertion(seen, name, row(name, columns, 'another')).execute(ours),
      { code: seen === name ? '42501' : '44000' },
      'written for somebody else'
    )
    if (may.includes('UPDATE')) {
      t.equal(
        (await sql`update ${sql.table(seen)} set workspace = workspace`.execute(ours)).numAffectedRows,
        1n,
        'changed'
      )
      t.equal(
        (await sql`update ${sql.table(seen)} set workspace = workspace`.execute(nobody)).numAffectedRows,
        0n,
        'changed by nobody'
      )
      await t.rejects(sql`update ${sql.table(seen)} set workspace = 'theirs'`.execute(ours), 'given to a neighbour')
    } else
      await t.rejects(
        sql`update ${sql.table(seen)} set workspace = workspace`.execute(ours),
        { code: '42501' },
        'not to be changed'
      )
    if (may.includes('DELETE')) {
      t.equal((await sql`delete from ${sql.table(seen)}`.execute(nobody)).numAffectedRows, 0n, 'removed by nobody')
      t.equal((await sql`delete from ${sql.table(seen)}`.execute(ours)).numAffectedRows, 1n, 'removed')
    } else await t.rejects(sql`delete from ${sql.table(seen)}`.execute(ours), { code: '42501' }, 'not to be removed')
    await t.rejects(sql`truncate ${sql.table(seen)}`.execute(ours))
    t.equal(
      (await sql`select from ${sql.table(name)} where workspace = 'theirs'`.execute(owner)).rows.length,
      1,
      'the neighbour still has it'
    )
  })
}

t.test('keys and indexes begin with the workspace, but for those that serve all of them', async t => {
  const { rows } = await sql<{ name: string; is_unique: boolean }>`
    select i.indexrelid::regclass::text as name, i.indisunique as is_unique from pg_index i
      join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'workspace'
    where i.indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
      and i.indkey[0] <> a.attnum order by 1`.execute(owner)
  // Keys and MCP sessions are found by their ids, before anybody is known; audit rows are chained along their ids, of
  // all workspaces.
  t.same(
    rows.filter(index => index.is_unique).map(({ name }) => name),
    ['api_keys_by_id', 'audit_log_pkey', 'mcp_sessions_pkey']
  )
  // Sweeps, revocations, and what is looked up by GIN.
  const across = [
    /expiring|idle|revoked|_by_id$|by_parent|audit_heads_newest|of_deleted_sessions/,
    /trigrams|_terms(_words)?$|leases_ended|tasks_leased/
  ]
  t.same(
    rows.filter(index => !index.is_unique && !across.some(name => name.test(index.name))),
    []
  )
})

t.test('work across workspaces is in these places, and no others', async t => {
  const found: Record<string, number> = {}
  for (const file of await readdir(join(ROOT, 'src'), { recursive: true })) {
    if (!file.endsWith('.ts') || file === join('postgres', 'scope.ts')) continue
    const places =
      (await readFile(join(ROOT, 'src', file), 'utf8')).match(/(acrossWorkspaces|acrossWorkspacesIn)\(/g)?.length ?? 0
    if (places > 0) found[file] = places
  }
  t.same(found, {
    // Revocations, keys of callers, who has called lately.
    'agents/index.ts': 3,
    // MCP sessions, before anybody is known; one that moves to another workspace.
    'agents/store/mcp-sessions.ts': 2,
    // The audit chain, and how far it lags behind.
    'audit/index.ts': 2,
    // What hints are checked by, and who waits.
    'feed/index.ts': 2,
    // Figures of the whole service, and those of its replicas.
    'guidance/index.ts': 2,
    // Deliveries of messages.
    'inbox/index.ts': 1,
    // Deletion, erasure, retention and sweeps.
    'lifecycle/index.ts': 1,
    // All workspaces, for the operator.
    'guidance/tools/list-workspaces.ts': 1,
    // Commands of the tables' owner.
    'postgres/connect.ts': 1,
    // Rate limits.
    'limits/index.ts': 1,
    // The index worker, and how much waits to be indexed.
    'search/index.ts': 2,
    // Tasks whose lease has ended, and figures of all tasks.
    'tasks/index.ts': 2,
    // How many names are held.
    'leases/index.ts': 1,
    // Memories that are followed, of many agents at once.
    'mcp/subscriptions/watch.ts': 1
  })
})
