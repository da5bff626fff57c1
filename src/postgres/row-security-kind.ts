import type pg from 'pg'
import { adviceFor, MAY_BECOME, serviceRole } from './service-role.js'

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

/** @returns undefined if there are no policies yet */
async function findRowSecurity(client: pg.ClientBase): Promise<RowSecurity | undefined> {
  const {
    rows: [found]
  } = await client.query<{ login: string; owner: string; enabled: boolean; owns: boolean; bypasses: boolean }>(`
    select current_user as login, pg_get_userbyid(c.relowner) as owner, c.relrowsecurity as enabled,
           pg_has_role(current_user, c.relowner, 'MEMBER') as owns, r.rolsuper or r.rolbypassrls as bypasses
    from pg_class c, pg_roles r where c.oid = to_regclass('messages') and r.rolname = current_user`)
  if (found === undefined || !found.enabled) return undefined
  const { login, owner, owns, bypasses } = found
  if (!owns && !bypasses) return { kind: 'login', login, owner }
  const role = serviceRole(owner)
  const {
    rows: [usable]
  } = await client.query<{ may: boolean }>(
    `
    select pg_has_role(current_user, oid, ${MAY_BECOME}) and has_table_privilege(oid, to_regclass('messages'), 'insert') and not rolsuper and not rolbypassrls as may
    from pg_roles where rolname = $1`,
    [role]
  )
  if (usable?.may === true) return { kind: 'role', login, owner, role }
  return { kind: bypasses ? 'none' : 'owner', login, owner }
}

/** For the log at the start: what protects workspaces from each other, and what an operator can improve. */
export function describeRowSecurity({ kind, login, owner, role }: RowSecurity): string {
  if (kind === 'login')
    return `Row-level security keeps workspaces apart: the service logs in as "${login}", which owns nothing.`
  if (kind === 'role')
    return `Row-level security keeps workspaces apart: the service logs in as "${login}" and works as "${role}". A login that owns nothing would protect more: see MIGRATION_DATABASE_URL in docs/operations.md.`
  const what =
    kind === 'owner'
      ? 'row-level security holds, but the service works as the owner of the tables, who can remove it'
      : 'row-level security does not hold for the user that the service works as, so only the conditions of its queries keep workspaces apart'
  return `The service lacks a role of its own: ${what}. ${adviceFor(owner)}`
}

/** As which role a pool works. Its first connection finds out, and each one after it as long as there are no policies. */
export interface RoleLookup {
  known: boolean
  /** Undefined: the login itself. */
  role: string | undefined
  find: (client: pg.ClientBase) => Promise<void>
}

export function createRoleLookup(onFound: (found: RowSecurity) => void = () => {}): RoleLookup {
  const lookup: RoleLookup = {
    known: false,
    role: undefined,
    async find(client) {
      const found = await findRowSecurity(client)
      if (found === undefined || lookup.known) return
      lookup.known = true
      lookup.role = found.role
      onFound(found)
    }
  }
  return lookup
}
