import { hostname } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import { type Config, type ConfigNeeds, loadConfig } from '../config/config.js'
import { parseDatabaseUrl, placeOf } from '../config/database-url.js'
import { inPart, type Tracing } from '../kernel/tracing.js'
import { connect, connectAsOwner, type Database } from '../postgres/connect.js'
import { explainConnect } from '../postgres/connect-faults.js'
import { trackEpisodes } from '../postgres/episodes.js'
import { loggableFault } from '../postgres/faults.js'
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
 * @param needs `database`: only the database's address is needed
 * @throws ConfigError, EmbeddedError
 */
export async function openContext(
  mode: 'serve' | 'join',
  log: (line: string) => void,
  needs: ConfigNeeds = 'all'
): Promise<CommandContext> {
  const config = loadConfig(process.env, needs)
  const replica = `${hostname()}-${process.pid}`
  if (config.database_url !== undefined) {
    return {
      config,
      url: config.database_url,
      owner_url: config.migration_database_url ?? config.database_url,
      jwt_secrets: config.jwt_secret_key ?? [],
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
export function connectForRequests(
  { config, url, replica }: CommandContext,
  logger: FastifyBaseLogger,
  tracing?: Tracing
): Database {
  // The pool is told of each connection that breaks, and all of them break at once.
  const lost = trackEpisodes({
    onBegin(error) {
      logger.warn({ err: loggableFault(error) }, 'database connection lost')
    },
    onEnd(times, seconds) {
      if (times > 1) logger.info({ times, seconds }, 'no more database connections are lost')
    }
  })
  return connect({
    url,
    listen_url: config.database_listen_url,
    trace: tracing && ((name, work) => inPart(tracing, name, { 'db.system.name': 'postgresql' }, work)),
    max: config.database_pool_max,
    connect_timeout_ms: config.database_connect_timeout_ms,
    statement_timeout_ms: config.statement_timeout_ms,
    max_age_ms: config.database_connection_max_age_ms,
    application_name: `shared-context-server ${replica}`.slice(0, 63),
    onIdleError: lost.fault,
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

/**
 * Runs `work` on one connection of the tables' owner, without a statement timeout, because migrations may take long.
 * Waits up to 60 seconds for a database that cannot be reached yet.
 * @throws MigrationError that says why, if the database stays unreachable or is not fit
 */
export async function withOwnerConnection<T>(
  { owner_url, replica, config }: Pick<CommandContext, 'owner_url' | 'replica' | 'config'>,
  log: (line: string) => void,
  signals: Signals,
  work: (db: Db) => Promise<T>
): Promise<T> {
  const deadline = Date.now() + DATABASE_WAIT_MS
  const address = parseDatabaseUrl(owner_url)
  const variable = owner_url === config.migration_database_url ? 'MIGRATION_DATABASE_URL' : 'DATABASE_URL'
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
      const explanation = explainConnect(error, address, variable)
      if (explanation === undefined) throw error
      const { sentence, permanent } = explanation
      if (permanent || Date.now() > deadline || signals.isStopRequested()) throw new MigrationError(sentence)
      if (!isLogged)
        log(`${sentence} Waiting up to ${DATABASE_WAIT_MS / 1000} s for ${address.hosts.map(placeOf).join(', ')} ...`)
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
