import { hostname } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import { type Config, loadConfig } from '../config/config.js'
import { connect, connectAsOwner, type Database } from '../postgres/connect.js'
import { loggableFault, explainFault } from '../postgres/faults.js'
import { type Embedded, openEmbedded } from '../postgres/embedded/index.js'
import { MigrationError } from '../postgres/migrate.js'
import * as migrations from '../postgres/migrate.js'
import type { Db } from '../postgres/schema.js'
import { adviceFor, describeRowSecurity, loginName, makeRole } from '../postgres/service-role.js'
import { defaultDataDir, unusedDataNotices } from './data-folder.js'
import { localSecrets } from './local-secrets.js'
import { type Signals } from './stop.js'

/** The configuration and the database that a command works with. */
export interface CommandContext {
  config: Config
  /** The database URL. It contains a password, so never log it. */
  url: string
  /** The same database with the login that owns the tables. */
  owner_url: string
  jwt_secrets: readonly string[]
  embedded: Embedded | undefined
  replica: string
}

/**
 * Reads the configuration, and starts or joins the embedded PostgreSQL if DATABASE_URL is not set.
 * @param mode whether this process may own the embedded PostgreSQL (`serve`) or shares it (`join`)
 * @throws ConfigError, EmbeddedError
 */
export async function openContext(mode: 'serve' | 'join', log: (line: string) => void): Promise<CommandContext> {
  const config = loadConfig(process.env)
  const replica = `${hostname()}-${process.pid}`
  if (config.database_url !== undefined) {
    return {
      config,
      url: config.database_url,
      owner_url: config.migration_database_url ?? config.database_url,
      jwt_secrets: config.jwt_secret_key as string[],
      embedded: undefined,
      replica
    }
  }
  const embedded = await openEmbedded({ dataDir: config.data_dir, defaultDataDir, mode, log })
  try {
    if (config.data_dir === undefined) for (const line of unusedDataNotices(embedded.dataDir)) log(line)
    const secrets = await localSecrets(embedded.dataDir)
    const {
      api_key = secrets.api_key,
      admin_api_key = secrets.admin_api_key,
      jwt_secret_key = [secrets.jwt_secret_key],
      audit_hmac_keys = [secrets.audit_hmac_key]
    } = config
    return {
      config: { ...config, api_key, admin_api_key, audit_hmac_keys },
      url: embedded.url,
      owner_url: embedded.url,
      jwt_secrets: jwt_secret_key,
      embedded,
      replica
    }
  } catch (error) {
    await embedded.close()
    throw error
  }
}

/** Creates the connection pool for requests. */
export function connectForRequests({ config, url, replica }: CommandContext, logger: FastifyBaseLogger): Database {
  return connect({
    url,
    max: config.database_pool_max,
    connect_timeout_ms: config.database_connect_timeout_ms,
    statement_timeout_ms: config.statement_timeout_ms,
    application_name: `shared-context-server ${replica}`.slice(0, 63),
    onIdleError: error => {
      logger.warn({ err: loggableFault(error) }, 'database connection lost')
    },
    onRowSecurity: found => {
      logger[found.kind === 'login' || found.kind === 'role' ? 'info' : 'warn'](
        { row_security: found.kind },
        describeRowSecurity(found)
      )
    }
  })
}

/** How long a command waits for a database that is still starting. */
const DATABASE_WAIT_MS = 60_000

/** SQLSTATE codes of errors that waiting does not resolve, with advice for the operator. */
const PERMANENT_ERRORS: Record<string, string> = {
  '28P01': 'The database refuses the user or the password of DATABASE_URL.',
  28000: "The database refuses the user of DATABASE_URL from this machine (see the server's pg_hba.conf).",
  25006:
    'The database server is read-only: it is a standby, or a former primary. ' +
    'Point DATABASE_URL (or MIGRATION_DATABASE_URL) at the primary.',
  '3D000': 'The database that DATABASE_URL names does not exist on its server. Create it first.'
}

/**
 * Runs `work` on one connection of the tables' owner, without a statement timeout, because migrations may take long.
 * Waits up to 60 seconds for a database that cannot be reached yet.
 * @throws MigrationError if the database stays unreachable or refuses the login
 */
export async function withOwnerConnection<T>(
  { owner_url, replica }: Pick<CommandContext, 'owner_url' | 'replica'>,
  log: (line: string) => void,
  signals: Signals,
  work: (db: Db) => Promise<T>
): Promise<T> {
  const deadline = Date.now() + DATABASE_WAIT_MS
  for (let wait = 250, isLogged = false; ; wait = Math.min(wait * 2, 4000)) {
    const { db, close } = connectAsOwner({
      url: owner_url,
      max: 1,
      connect_timeout_ms: 5000,
      statement_timeout_ms: 0,
      application_name: `shared-context-server migrate ${replica}`.slice(0, 63),
      onIdleError: () => {}
    })
    try {
      return await work(db)
    } catch (error) {
      if (error instanceof MigrationError || explainFault(error)?.code !== 'DATABASE_UNAVAILABLE') throw error
      const code = (error as { code?: string }).code ?? 'no answer'
      if (Object.hasOwn(PERMANENT_ERRORS, code)) throw new MigrationError(PERMANENT_ERRORS[code])
      if (Date.now() > deadline || signals.isStopRequested())
        throw new MigrationError(
          `The database at ${hostOf(owner_url)} cannot be reached (${code}). ` +
            'Check DATABASE_URL, that the server runs, and that it admits this machine.'
        )
      if (!isLogged)
        log(`Waiting up to ${DATABASE_WAIT_MS / 1000} s for the database at ${hostOf(owner_url)} (${code}) ...`)
      isLogged = true
    } finally {
      await close()
    }
    await new Promise(resolve => setTimeout(resolve, wait))
  }
}

/**
 * Applies the missing migrations, and logs advice if the owner may not create the service's database role.
 * @returns the names of the applied migrations
 * @throws MigrationError if the database cannot be reached or a migration fails
 */
export async function migrateDatabase(
  context: CommandContext,
  log: (line: string) => void,
  signals: Signals
): Promise<string[]> {
  const login =
    context.url === context.owner_url
      ? undefined
      : await withOwnerConnection({ ...context, owner_url: context.url }, log, signals, loginName)
  return withOwnerConnection(context, log, signals, async db => {
    const owner = await loginName(db)
    const serviceLogin = login === owner ? undefined : login
    const applied = await migrations.up(db, serviceLogin)
    if (serviceLogin === undefined && (await makeRole(db)) === undefined)
      log(`This user may not create the database role that the service should use. ${adviceFor(owner)}`)
    return applied
  })
}

/** Host and port of a database URL: its other parts may be secret. */
function hostOf(url: string): string {
  const { host } = new URL(url)
  return host === '' ? 'its socket' : host
}
