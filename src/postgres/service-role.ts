import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type pg from 'pg'
import type { Db } from './schema.js'

/**
 * The role that the service works as: it owns nothing, and row-level security holds for it. Either the service logs in
 * as such a role (DATABASE_URL), and the owner migrates (MIGRATION_DATABASE_URL). Or there is one login, the owner, and
 * every statement is run as a role of the owner's: then the wall is thinner, since who could make the service run SQL
 * of their own could become the owner again.
 *
 * A superuser, as the embedded PostgreSQL has, passes by every policy; there it is the role alone that carries the
 * wall.
 */

/**
 * Named after the owner, since roles are the whole server's: two installations in it, of two owners, have nothing of
 * each other's.
 */
export function serviceRole(owner: string): string {
  const name = `shared_context_service_${owner}`
  return Buffer.byteLength(name) <= 63
    ? name
    : `shared_context_service_${createHash('sha256').update(owner).digest('hex').slice(0, 32)}`
}

/** From 16 on, being a member of a role and being allowed to become it are two things. */
const BECOME = "case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end"

const TRIES = 5
/** What one of two is told who make the same role at once: it is there, its row is there, its row is being changed. */
const AT_ONCE = new Set(['42710', '23505', 'XX000'])

/**
 * Makes the service's role for the owner who is logged in, unless it is there. @returns undefined where the owner may
 * not
 */
export async function makeRole(db: Db): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    const {
      rows: [login]
    } = await sql<{ name: string; may_create: boolean }>`
      select rolname as name, rolsuper or rolcreaterole as may_create from pg_roles where rolname = current_user`.execute(
      db
    )
    const { name, may_create } = login as { name: string; may_create: boolean }
    const role = serviceRole(name)
    const {
      rows: [there]
    } = await sql<{ may_become: boolean }>`
      select pg_has_role(current_user, oid, ${sql.raw(BECOME)}) as may_become from pg_roles where rolname = ${role}`.execute(
      db
    )
    if (there?.may_become === true) return role
    if (!may_create) return undefined
    try {
      if (there === undefined)
        await sql`create role ${sql.id(role)} nologin noinherit nosuperuser nocreatedb nocreaterole nobypassrls`.execute(
          db
        )
      await sql`grant ${sql.id(role)} to current_user`.execute(db)
      return role
    } catch (error) {
      const { code = '' } = error as { code?: string }
      // Somebody else's role of that name.
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

/**
 * What stands between workspaces for a login of the service. `login`: it owns nothing. `role`: it works as a role that
 * owns nothing.
 * `owner`: it works as the tables' owner, for whom policies hold but who could take them away. `none`: policies do not
 * hold for it.
 */
export interface RowSecurity {
  kind: 'login' | 'role' | 'owner' | 'none'
  login: string
  owner: string
  role?: string
}

/** @returns undefined where there are no policies yet */
async function findRowSecurity(client: pg.ClientBase): Promise<RowSecurity | undefined> {
  const {
    rows: [found]
  } = await client.query<{ login: string; owner: string; walled: boolean; owns: boolean; bypasses: boolean }>(`
    select current_user as login, pg_get_userbyid(c.relowner) as owner, c.relrowsecurity as walled,
           pg_has_role(current_user, c.relowner, 'MEMBER') as owns, r.rolsuper or r.rolbypassrls as bypasses
    from pg_class c, pg_roles r where c.oid = to_regclass('messages') and r.rolname = current_user`)
  if (found === undefined || !found.walled) return undefined
  const { login, owner, owns, bypasses } = found
  if (!owns && !bypasses) return { kind: 'login', login, owner }
  const role = serviceRole(owner)
  const {
    rows: [usable]
  } = await client.query<{ may: boolean }>(
    `
    select pg_has_role(current_user, oid, ${BECOME}) and has_table_privilege(oid, to_regclass('messages'), 'insert') and not rolsuper and not rolbypassrls as may
    from pg_roles where rolname = $1`,
    [role]
  )
  if (usable?.may === true) return { kind: 'role', login, owner, role }
  return { kind: bypasses ? 'none' : 'owner', login, owner }
}

/** For the log at the start: what stands, and what to do where that is not all there could be. */
export function describeRowSecurity({ kind, login, owner, role }: RowSecurity): string {
  if (kind === 'login')
    return `Workspaces are kept apart by row-level security: the service logs in as "${login}", which owns nothing.`
  if (kind === 'role')
    return `Workspaces are kept apart by row-level security: the service logs in as "${login}" and works as "${role}". This wall is thinner than with a login of its own: see MIGRATION_DATABASE_URL in docs/operations.md.`
  const what =
    kind === 'owner'
      ? 'row-level security holds, but the service works as the owner of the tables, who could take it away'
      : 'the service works as a user for whom row-level security does not hold, so only its own conditions keep workspaces apart'
  return `The wall between workspaces lacks a role: ${what}. ${adviceFor(owner)}`
}

/** What somebody who may has to say to the database. */
export function adviceFor(owner: string): string {
  const role = quoted(serviceRole(owner))
  return `As a user who may create roles, say: create role ${role} nologin; grant ${role} to ${quoted(owner)}; -- then run "migrate up" again, which grants it what it needs.`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Who works on a pool, found on its first connection; as long as there are no policies, looked for again. */
export interface Roles {
  known: boolean
  role: string | undefined
  find: (client: pg.ClientBase) => Promise<void>
}

export function roles(onFound: (wall: RowSecurity) => void = () => {}): Roles {
  const of: Roles = {
    known: false,
    role: undefined,
    async find(client) {
      const wall = await findRowSecurity(client)
      if (wall === undefined || of.known) return
      of.known = true
      of.role = wall.role
      onFound(wall)
    }
  }
  return of
}

/** Whoever logs in. */
export const asLogin: Roles = { known: true, role: undefined, async find() {} }
