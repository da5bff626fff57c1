import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type pg from 'pg'
import type { Db } from './schema.js'

/**
 * The role that the service works as. Table owners bypass row-level security or can remove it, so the service does not
 * run as the owner. There are two ways:
 *
 * - The service logs in as a role that owns nothing (DATABASE_URL), and the owner migrates (MIGRATION_DATABASE_URL).
 * - There is one login, the owner. Every statement then runs as a role that the owner has made. This protects less: SQL
 *   that somebody smuggles into the service can become the owner again.
 *
 * The login of the embedded PostgreSQL is a superuser, who bypasses every policy. There only the role protects.
 */

/** Roles belong to the whole server. The owner's name in the role's name keeps two installations apart. */
export function serviceRole(owner: string): string {
  const name = `shared_context_service_${owner}`
  return Buffer.byteLength(name) <= 63
    ? name
    : `shared_context_service_${createHash('sha256').update(owner).digest('hex').slice(0, 32)}`
}

/** The privilege to become a role. From PostgreSQL 16 on a member of a role need not have it. */
const MAY_BECOME = "case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end"

const TRIES = 5
/** Codes that PostgreSQL answers if another process makes the same role at the same time. */
const AT_ONCE = new Set(['42710', '23505', 'XX000'])

/**
 * Makes the service's role for the owner who is logged in, unless the role is there.
 * @returns the role's name; undefined if the owner may not make roles
 */
export async function makeRole(db: Db): Promise<string | undefined> {
  const role = serviceRole(await loginName(db))
  for (let tries = 1; ; tries++) {
    const {
      rows: [found]
    } = await sql<{ may_create: boolean; there: boolean; may_become: boolean }>`
      select login.rolsuper or login.rolcreaterole as may_create, role.oid is not null as there,
             coalesce(pg_has_role(current_user, role.oid, ${sql.raw(MAY_BECOME)}), false) as may_become
      from pg_roles login left join pg_roles role on role.rolname = ${role}
      where login.rolname = current_user`.execute(db)
    if (found?.may_become === true) return role
    if (found?.may_create !== true) return undefined
    try {
      const attributes = sql.raw('nologin noinherit nosuperuser nocreatedb nocreaterole nobypassrls')
      if (!found.there) await sql`create role ${sql.id(role)} ${attributes}`.execute(db)
      await sql`grant ${sql.id(role)} to current_user`.execute(db)
      return role
    } catch (error) {
      const { code = '' } = error as { code?: string }
      // Another owner has a role of that name.
      if (code === '42501') return undefined
      if (tries === TRIES || !AT_ONCE.has(code)) throw error
    }
  }
}

/** Who is logged in. */
export async function loginName(db: Db): Promise<string> {
  const {
    rows: [row]
  } = await sql<{ login: string }>`select current_user as login`.execute(db)
  return (row as { login: string }).login
}

/** The SQL by which a user who may create roles makes the service's role. */
export function adviceFor(owner: string): string {
  const role = quoted(serviceRole(owner))
  return (
    `As a user who may create roles, say: create role ${role} nologin; grant ${role} to ${quoted(owner)}; ` +
    '-- then run "migrate up" again, which grants it what it needs.'
  )
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** How far row-level security holds for the service's login, and as which role the service works. */
export interface RowSecurity {
  /**
   * - `login`: the login owns nothing. Policies hold for it.
   * - `role`: the service works as a role that owns nothing. Policies hold for the role.
   * - `owner`: the service works as the owner of the tables. Policies hold, and the owner can remove them.
   * - `none`: the service works as a user who bypasses policies.
   */
  kind: 'login' | 'role' | 'owner' | 'none'
  login: string
  owner: string
  role?: string
}

/**
 * @param schema of the tables
 * @returns undefined if there are no policies yet
 */
export async function findRowSecurity(client: pg.ClientBase, schema: string): Promise<RowSecurity | undefined> {
  const {
    rows: [found]
  } = await client.query<{ login: string; owner: string; enabled: boolean; owns: boolean; bypasses: boolean }>(
    `
    select current_user as login, pg_get_userbyid(c.relowner) as owner, c.relrowsecurity as enabled,
           pg_has_role(current_user, c.relowner, 'MEMBER') as owns, r.rolsuper or r.rolbypassrls as bypasses
    from pg_class c join pg_namespace n on n.oid = c.relnamespace, pg_roles r
    where c.relname = 'messages' and n.nspname = $1 and r.rolname = current_user`,
    [schema]
  )
  if (found === undefined || !found.enabled) return undefined
  const { login, owner, owns, bypasses } = found
  if (!owns && !bypasses) return { kind: 'login', login, owner }
  const role = serviceRole(owner)
  const {
    rows: [usable]
  } = await client.query<{ may: boolean }>(
    `
    select pg_has_role(current_user, oid, ${MAY_BECOME}) and not rolsuper and not rolbypassrls
           and has_table_privilege(oid, format('%I.messages', $2::text), 'insert') as may
    from pg_roles where rolname = $1`,
    [role, schema]
  )
  if (usable?.may === true) return { kind: 'role', login, owner, role }
  return { kind: bypasses ? 'none' : 'owner', login, owner }
}

/** For the log at the start: what protects workspaces from each other, and what an operator can improve. */
export function describeRowSecurity({ kind, login, owner, role }: RowSecurity): string {
  if (kind === 'login')
    return `Row-level security keeps workspaces apart: the service logs in as "${login}", which owns nothing.`
  if (kind === 'role')
    return (
      `Row-level security keeps workspaces apart: the service logs in as "${login}" and works as "${role}". ` +
      'A login that owns nothing would protect more: see MIGRATION_DATABASE_URL in docs/operations.md.'
    )
  const what =
    kind === 'owner'
      ? 'row-level security holds, but the service works as the owner of the tables, who can remove it'
      : 'row-level security does not hold for its user, so only the filters of its queries keep workspaces apart'
  return `The service lacks a role of its own: ${what}. ${adviceFor(owner)}`
}
