import pg from 'pg'
import { ReadOnlyServer, UnfitDatabase } from './faults.js'
import { isPooled, keepsNames } from './pooler.js'
import type { DatabaseAddress } from '../config/database-url.js'
import { findRowSecurity, type RowSecurity } from './service-role.js'
import { type GivenSettings, type Settings, settingsFor } from './session-settings.js'

/** How a connection is to be used. */
export interface Manner {
  /** What each transaction sets for itself. None on a direct connection, for whose life everything is set. */
  readonly local: Settings
  /** Whether statements may be prepared under names. */
  readonly named: boolean
  /** Whether a statement needs a transaction of its own, since the server begins them at a stricter level. */
  readonly ownTransaction: boolean
}

/** A connection of our own, all the way to the server. */
const DIRECT: Manner = { local: [], named: true, ownTransaction: false }

/** What the catalogs say of a database, whatever path, role and settings the login has. */
export interface Facts extends GivenSettings {
  pid: number
  server_major: number
  encoding: string
  read_only: boolean
  standby: boolean
  isolation: string
  /** `replica`: no trigger fires. */
  replication_role: string
  /** The schemas that hold our tables, as far as the login may read them; and the one that its path leads to. */
  schemas: string[]
  schema_on_path: string | null
  /** Whether the address names the path, as `options=-csearch_path=…`. Then only that path counts. */
  path_given: boolean
  /** The first schema of the login's path that is there. */
  own_schema: string | null
  /** The schema of pg_trgm. */
  trigram_schema: string | null
}

/** A table of ours; others have a table `kysely_migration` too. */
const OUR_TABLE = 'session_changes'

export const FACTS = `
  select pg_backend_pid() as pid, current_setting('server_version_num')::int / 10000 as server_major,
         current_setting('server_encoding') as encoding, current_setting('transaction_read_only') = 'on' as read_only,
         pg_is_in_recovery() as standby, current_setting('transaction_isolation') as isolation,
         current_setting('session_replication_role') as replication_role,
         current_setting('synchronous_commit') as synchronous_commit,
         pg_size_bytes(current_setting('work_mem')) / 1024 as work_mem_kb,
         array(select n.nspname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where c.relname = '${OUR_TABLE}' and c.relkind in ('r', 'p')
                 and exists (select from pg_class m where m.relname = 'messages' and m.relnamespace = n.oid
                               and has_table_privilege(m.oid, 'select'))
               order by n.nspname) as schemas,
         (select n.nspname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.oid = to_regclass('${OUR_TABLE}')) as schema_on_path,
         (select source = 'client' from pg_settings where name = 'search_path') as path_given,
         current_schema()::text as own_schema,
         (select n.nspname::text from pg_extension e join pg_namespace n on n.oid = e.extnamespace
          where e.extname = 'pg_trgm') as trigram_schema`

/** @throws UnfitDatabase */
export function requireUtf8(encoding: string): void {
  if (encoding !== 'UTF8')
    throw new UnfitDatabase(
      `The database's encoding is ${encoding}, and the service needs UTF8. ` +
        "Make a database with: create database … encoding 'UTF8' template template0"
    )
}

/** @throws UnfitDatabase if triggers do not fire, by which tables are kept in step */
export function requireTriggers(replication_role: string): void {
  if (replication_role === 'replica')
    throw new UnfitDatabase(
      'session_replication_role is replica for the login of DATABASE_URL, so triggers do not fire. ' +
        'As a superuser run: alter database … reset session_replication_role (or alter role … reset …)'
    )
}

/** @returns a search_path of these schemas; what is temporary comes last, so that it hides nothing */
export function pathOf(...schemas: ReadonlyArray<string | null>): string {
  const names = new Set(schemas.filter(schema => schema !== null))
  return [...names]
    .map(schema => pg.escapeIdentifier(schema))
    .concat('pg_temp')
    .join(', ')
}

export interface InstallationOptions {
  target: DatabaseAddress['target']
  /** Whether statements run as the service's role. False: as the login, for the owner's commands. */
  as_service: boolean
  onRowSecurity?: (found: RowSecurity) => void
}

interface Prepared {
  manner: Manner
  statement_timeout_ms: number
  settled: boolean
}

/**
 * What the service has found out of its database: where tables and pg_trgm are, and as which role it works. Each new
 * connection asks until there are tables with policies.
 */
export class Installation {
  /** As which statements run. Undefined: as the login. */
  role: string | undefined
  readonly as_service: boolean
  private roleKnown: boolean
  private search_path: string | undefined
  private readonly prepared = new WeakMap<pg.ClientBase, Prepared>()
  /** Equal manners are the same object, by which prefixes are kept. */
  private readonly manners = new Map<string, Manner>()

  constructor(private readonly options: InstallationOptions) {
    this.as_service = options.as_service
    this.roleKnown = !options.as_service
  }

  isSettled(client: pg.ClientBase): boolean {
    return this.prepared.get(client)?.settled === true
  }

  mannerOf(client: pg.ClientBase): Manner {
    return this.prepared.get(client)?.manner ?? DIRECT
  }

  /**
   * Looks at the database through this connection, and makes the settings.
   * @param statement_timeout_ms 0 for never; default: as it was for this connection before
   * @throws UnfitDatabase, ReadOnlyServer; whatever PostgreSQL or the driver throws. The connection must not be used
   * then.
   */
  async prepare(
    client: pg.ClientBase,
    statement_timeout_ms = this.prepared.get(client)?.statement_timeout_ms ?? 0
  ): Promise<void> {
    const { target } = this.options
    const facts = (await client.query<Facts>(FACTS)).rows[0] as Facts
    requireUtf8(facts.encoding)
    requireTriggers(facts.replication_role)
    if ((target === 'read-write' && facts.read_only) || (target !== 'any' && facts.standby)) throw new ReadOnlyServer()
    const { server_major } = facts
    const schema = schemaOf(facts)
    if (schema !== undefined) this.search_path ??= pathOf(schema, requireTrigrams(facts))
    const { search_path } = this
    const local = isPooled(client, facts.pid)
    const settings = settingsFor({ server_major, statement_timeout_ms, search_path, local, given: facts })
    const manner = local
      ? { local: settings, named: await keepsNames(client), ownTransaction: facts.isolation !== 'read committed' }
      : DIRECT
    if (!local)
      await client.query(
        'select set_config(name, value, false) from unnest($1::text[], $2::text[]) as s (name, value)',
        [settings.map(([name]) => name), settings.map(([, value]) => value)]
      )
    if (!this.roleKnown && schema !== undefined) await this.findRole(client, schema, facts.trigram_schema)
    const key = JSON.stringify(manner)
    if (!this.manners.has(key)) this.manners.set(key, manner)
    this.prepared.set(client, {
      manner: this.manners.get(key) as Manner,
      statement_timeout_ms,
      settled: this.search_path !== undefined && this.search_path === search_path && this.roleKnown
    })
  }

  private async findRole(client: pg.ClientBase, schema: string, trigram_schema: string | null): Promise<void> {
    const found = await findRowSecurity(client, schema)
    if (found === undefined) return
    await requireUsage(client, found.role ?? found.login, [schema, trigram_schema as string])
    // Another connection may have been faster.
    if (this.roleKnown) return
    this.roleKnown = true
    this.role = found.role
    this.options.onRowSecurity?.(found)
  }
}

/** @returns the schema of our tables; undefined if there are none yet */
export function schemaOf({ schemas, schema_on_path, path_given }: Facts): string | undefined {
  if (schema_on_path !== null) return schema_on_path
  if (path_given || schemas.length < 2) return path_given ? undefined : schemas[0]
  throw new UnfitDatabase(
    `Several schemas hold tables of the service: ${schemas.join(', ')}. ` +
      'Say which one is meant: alter role <login of DATABASE_URL> set search_path to <schema>'
  )
}

function requireTrigrams({ trigram_schema }: Facts): string {
  if (trigram_schema !== null) return trigram_schema
  throw new UnfitDatabase(
    'The extension pg_trgm has been dropped. As the owner of the database run: create extension pg_trgm'
  )
}

/** @throws UnfitDatabase if the role may not use one of the schemas */
async function requireUsage(client: pg.ClientBase, role: string, schemas: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "select name from unnest($2::text[]) as name where not has_schema_privilege($1::name, name, 'usage')",
    [role, schemas]
  )
  if (rows[0] !== undefined) throw new UnfitDatabase(usageSentence(role, rows[0].name))
}

export function usageSentence(role: string, schema: string): string {
  return (
    `The database role "${role}" may not use the schema "${schema}". As that schema's owner run: ` +
    `grant usage on schema ${pg.escapeIdentifier(schema)} to ${pg.escapeIdentifier(role)}`
  )
}
