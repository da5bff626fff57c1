import { createHash } from 'node:crypto'
import { sql } from 'kysely'
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
export const MAY_BECOME = "case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end"

const TRIES = 5
/** Codes that PostgreSQL answers if another process makes the same role at the same time. */
const AT_ONCE = new Set(['42710', '23505', 'XX000'])

/**
 * Makes the service's role for the owner who is logged in, unless the role is there.
 * @returns the role's name; undefined if the owner may not make roles
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
      select pg_has_role(current_user, oid, ${sql.raw(MAY_BECOME)}) as may_become from pg_roles where rolname = ${role}`.execute(
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
  return `As a user who may create roles, say: create role ${role} nologin; grant ${role} to ${quoted(owner)}; -- then run "migrate up" again, which grants it what it needs.`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
