import pg from 'pg'
import { sql } from 'kysely'
import { UnfitDatabase } from './faults.js'
import { FACTS, type Facts, pathOf, requireTriggers, requireUtf8, schemaOf, usageSentence } from './installation.js'
import type { Db } from './schema.js'
import { serviceRole } from './service-role.js'

/** What a database must be like before anything is made in it. Each fault is one sentence with its cure. */

/** The oldest supported PostgreSQL. */
const OLDEST_SERVER = 15

/** Where migrations make what they make. */
export interface Place {
  schema: string
  /** The schema of the tables and that of pg_trgm. */
  search_path: string
}

interface Rights {
  me: string
  may_make_roles: boolean
  /** Whether the server has the files of pg_trgm, and whether this user may make the extension of them. */
  available: boolean
  may_extend: boolean
}

/**
 * @param login the service's login, if it is not the owner who migrates
 * @throws UnfitDatabase
 */
export async function requireFit(db: Db, login?: string): Promise<Place> {
  const facts = (await sql.raw<Facts>(FACTS).execute(db)).rows[0] as Facts
  const { server_major, encoding, read_only, replication_role, own_schema, trigram_schema } = facts
  if (server_major < OLDEST_SERVER)
    throw new UnfitDatabase(`The database server is PostgreSQL ${server_major}; ${OLDEST_SERVER} or later is needed.`)
  requireUtf8(encoding)
  requireTriggers(replication_role)
  if (read_only) throw new UnfitDatabase(readOnlySentence('DATABASE_URL (or MIGRATION_DATABASE_URL)'))
  const rights = await rightsOf(db)
  const tables = schemaOf(facts)
  const schema = tables ?? own_schema
  if (schema === null)
    throw new UnfitDatabase(
      `No schema of the search_path of "${rights.me}" is there. Make one, for instance with: ` +
        `create schema ${pg.escapeIdentifier(rights.me)} authorization ${pg.escapeIdentifier(rights.me)}`
    )
  if (tables === undefined) await requireCreate(db, schema, rights)
  if (trigram_schema === null) requireExtensible(rights)
  const role = login ?? serviceRole(rights.me)
  const schemas = trigram_schema === null ? [schema] : [schema, trigram_schema]
  for (const each of schemas) await requireUsageOf(db, role, each, rights)
  return { schema, search_path: pathOf(...schemas) }
}

export function readOnlySentence(variable: string): string {
  return `The database server is read-only: it is a standby, or a former primary. Point ${variable} at the primary.`
}

async function rightsOf(db: Db): Promise<Rights> {
  const { rows } = await sql<Rights>`
    select current_user::text as me, r.rolsuper or r.rolcreaterole as may_make_roles,
           exists (select from pg_available_extensions where name = 'pg_trgm') as available,
           r.rolsuper or has_database_privilege(current_database(), 'create')
             and exists (select from pg_available_extension_versions where name = 'pg_trgm' and trusted) as may_extend
    from pg_roles r where r.rolname = current_user`.execute(db)
  return rows[0] as Rights
}

async function requireCreate(db: Db, schema: string, { me }: Rights): Promise<void> {
  const { rows } = await sql<{ may: boolean }>`select has_schema_privilege(${schema}, 'create') as may`.execute(db)
  if (rows[0]?.may === true) return
  throw new UnfitDatabase(
    `The database user "${me}" may not make tables in the schema "${schema}". As that schema's owner run: ` +
      `grant create, usage on schema ${pg.escapeIdentifier(schema)} to ${pg.escapeIdentifier(me)}`
  )
}

function requireExtensible({ me, available, may_extend }: Rights): void {
  if (!available)
    throw new UnfitDatabase(
      'The extension pg_trgm is not installed on the database server. Install it (Debian: postgresql-contrib).'
    )
  if (!may_extend)
    throw new UnfitDatabase(
      `The extension pg_trgm is missing, and "${me}" may not make it. As a superuser run in this database: ` +
        'create extension pg_trgm'
    )
}

/** That the service's role may look things up in the schema, or that this user may let it. */
async function requireUsageOf(db: Db, role: string, schema: string, { me, may_make_roles }: Rights): Promise<void> {
  const {
    rows: [found]
  } = await sql<{ mine: boolean; may_grant: boolean; there: boolean; has: boolean }>`
    select has_schema_privilege(n.oid, 'usage') as mine,
           has_schema_privilege(n.oid, 'usage with grant option') as may_grant,
           exists (select from pg_roles where rolname = ${role}) as there,
           coalesce((select has_schema_privilege(r.oid, n.oid, 'usage') from pg_roles r where r.rolname = ${role}),
                    exists (select from aclexplode(n.nspacl) a
                            where a.grantee = 0 and a.privilege_type = 'USAGE')) as has
    from pg_namespace n where n.nspname = ${schema}`.execute(db)
  if (found?.mine !== true) throw new UnfitDatabase(usageSentence(me, schema))
  // Without the role the service works as its owner.
  if (found.has || found.may_grant || !(found.there || may_make_roles)) return
  throw new UnfitDatabase(
    `The service's role "${role}" needs the schema "${schema}", and "${me}" may not let it in. ` +
      `As that schema's owner run: grant usage on schema ${pg.escapeIdentifier(schema)} ` +
      `to ${pg.escapeIdentifier(me)} with grant option`
  )
}
