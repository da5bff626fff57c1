import { sql } from 'kysely'
import type { Db } from './schema.js'

/**
 * Every query filters by workspace. PostgreSQL row-level security enforces the same filter again, on every table that
 * has a workspace. Each run of migrations ends with this file, which sees to the policies and to the privileges of the
 * service's role, so no table is forgotten.
 *
 * A policy reads the setting `scs.workspace` (scoped-connection.ts). The sub-select makes PostgreSQL read it once for a
 * statement, not once for each row. Behind a policy only "leakproof" operators use an index: those that compare text,
 * numbers and times are, `like` and those of GIN indexes are not (migrations/0015-row-level-security.ts).
 */
const POLICY = 'own_workspace'
const POLICY_CONDITION =
  "workspace = (select current_setting('scs.workspace', true)) or (select current_setting('scs.workspace', true)) = '*'"

/** Tables that the service's role may not use, and the views with the policy's condition that it uses instead. */
export const BEHIND_VIEWS: Record<string, string> = {
  message_terms_rows: 'message_terms',
  search_words_rows: 'search_words',
  session_purposes_rows: 'session_purposes'
}

/** Privileges of the service's role on tables where it may not do everything. It cannot change the audit log. */
export const SERVICE_MAY: Record<string, readonly Privilege[]> = {
  audit_log: ['SELECT', 'INSERT'],
  audit_chain: ['SELECT', 'INSERT'],
  audit_heads: ['SELECT', 'INSERT'],
  audit_beginnings: ['SELECT', 'INSERT'],
  audit_retention: ['SELECT'],
  kysely_migration: ['SELECT'],
  search_secret: ['SELECT'],
  ...Object.fromEntries(Object.keys(BEHIND_VIEWS).map(table => [table, []]))
}

/** Tables that the service needs and that have no workspace, and so no policy. */
const WITHOUT_WORKSPACE = ['kysely_migration', 'search_secret', 'replica_figures']

const READ_AND_WRITE = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const
export type Privilege = (typeof READ_AND_WRITE)[number]

interface Table {
  name: string
  kind: 'table' | 'view'
  policy: boolean
  forced: boolean
  granted: string[]
}

/** @param role as which the service works; undefined: as the owner */
export async function settleRowSecurity(db: Db, role: string | undefined): Promise<void> {
  const { rows: tables } = await sql<Table>`
    select c.relname as name, case c.relkind when 'v' then 'view' else 'table' end as kind,
           exists (select from pg_policy p where p.polrelid = c.oid and p.polname = ${POLICY}) as policy,
           c.relrowsecurity and c.relforcerowsecurity as forced,
           array(select distinct a.privilege_type from aclexplode(c.relacl) a
                 where a.grantee = to_regrole(quote_ident(${role ?? null}))) as granted
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v')
      and (c.relname = any(${WITHOUT_WORKSPACE}::text[])
           or exists (select from pg_attribute a
                      where a.attrelid = c.oid and a.attname = 'workspace' and not a.attisdropped))
    order by c.relname`.execute(db)
  for (const { name, kind, policy, forced, granted } of tables) {
    const table = sql.table(name)
    if (kind === 'table' && !(name in BEHIND_VIEWS) && !WITHOUT_WORKSPACE.includes(name)) {
      if (!policy)
        await sql`create policy ${sql.id(POLICY)} on ${table} using (${sql.raw(POLICY_CONDITION)})`.execute(db)
      if (!forced) await sql`alter table ${table} enable row level security, force row level security`.execute(db)
    }
    if (role === undefined) continue
    const may = SERVICE_MAY[name] ?? READ_AND_WRITE
    if (granted.length === may.length && may.every(privilege => granted.includes(privilege))) continue
    if (granted.length > 0) await sql`revoke all on ${table} from ${sql.id(role)}`.execute(db)
    if (may.length > 0) await sql`grant ${sql.raw(may.join(', '))} on ${table} to ${sql.id(role)}`.execute(db)
  }
  if (role !== undefined) await grantRest(db, role)
}

/** Functions that run as the owner, and that nobody may call by default. This one deletes old audit rows. */
const FUNCTIONS = ['drop_audit_rows']

/**
 * Grants on the schemas of the tables and of pg_trgm; on sequences, because an import takes ids in advance; and on
 * those functions.
 */
async function grantRest(db: Db, role: string): Promise<void> {
  const { rows } = await sql<{ statement: string }>`
    select format('grant usage on schema %I to %I', n.nspname, ${role}::text) as statement
    from pg_namespace n
    where n.oid in (current_schema()::regnamespace, (select extnamespace from pg_extension where extname = 'pg_trgm'))
      and not has_schema_privilege(${role}, n.oid, 'usage')
    union all
    select format('grant select, usage on sequence %I to %I', s.relname, ${role}::text)
    from pg_class s
    join pg_depend d on d.objid = s.oid and d.deptype in ('a', 'i')
    join pg_attribute a on a.attrelid = d.refobjid and a.attname = 'workspace'
    where s.relnamespace = current_schema()::regnamespace and s.relkind = 'S'
      and not (has_sequence_privilege(${role}, s.oid, 'select') and has_sequence_privilege(${role}, s.oid, 'usage'))
    union all
    select format('grant execute on function %s to %I', oid::regprocedure, ${role}::text)
    from pg_proc
    where pronamespace = current_schema()::regnamespace and proname = any(${FUNCTIONS}::text[])
      and not has_function_privilege(${role}, oid, 'execute')`.execute(db)
  for (const { statement } of rows) await sql.raw(statement).execute(db)
}
