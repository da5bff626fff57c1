import { hostname } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import { type Config, loadConfig } from '../config/config.js'
import { connect, connectAsOwner, type Database } from '../postgres/connect.js'
import { loggableFault, explainFault } from '../postgres/faults.js'
import { type Embedded, openEmbedded } from '../postgres/embedded/index.js'
import { MigrationError } from '../postgres/migrate.js'
import * as migrations from '../postgres/migrate.js'
import type { Db } from '../postgres/schema.js'
import { describeRowSecurity } from '../postgres/row-security-kind.js'
import { adviceFor, loginName, makeRole } from '../postgres/service-role.js'
import { defaultDataDir, passedOver } from './data-folder.js'
import { localSecrets } from './local-secrets.js'
import { type Signals } from './stop.js'

/** What every command that needs the database begins with. */
export interface Opened {
  config: Config
  /** Where the database is; holds a password, for connecting only. */
  url: string
  /** The same database as the owner of its tables. */
  owner_url: string
  jwt_secrets: readonly string[]
  embedded: Embedded | undefined
  replica: string
}

export async function open(mode: 'serve' | 'join', log: (line: string) => void): Promise<Opened> {
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
    if (config.data_dir === undefined) for (const line of passedOver(embedded.dataDir)) log(line)
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

/** The pool that requests run on. */
export function connectForRequests({ config, url, replica }: Opened, logger: FastifyBaseLogger): Database {
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

/** How long a start waits for a database that is still coming up. */
const PATIENCE_MS = 60_000

/** Refusals that waiting does not mend. */
const REFUSED: Record<string, string> = {
  '28P01': 'The database refuses the user or the password of DATABASE_URL.',
  28000: 'The database refuses the user of DATABASE_URL from this machine (see pg_hba.conf of the server).',
  25006:
    'The database server is read-only: a standby, or a primary that has handed over. Point DATABASE_URL (or MIGRATION_DATABASE_URL) at the primary.',
  '3D000': 'The database that DATABASE_URL names does not exist on its server; create it first.'
}

/**
 * Runs something on one connection of the owner's, without time limits, as migrations need; waits for a database that
 * is not there yet.
 * @throws MigrationError where it does not come, or refuses us
 */
export async function onOneConnection<T>(
  { owner_url, replica }: Pick<Opened, 'owner_url' | 'replica'>,
  log: (line: string) => void,
  signals: Signals,
  work: (db: Db) => Promise<T>
): Promise<T> {
  const until = Date.now() + PATIENCE_MS
  for (let wait = 250, told = false; ; wait = Math.min(wait * 2, 4000)) {
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
      if (Object.hasOwn(REFUSED, code)) throw new MigrationError(REFUSED[code])
      if (Date.now() > until || signals.asked())
        throw new MigrationError(
          `The database at ${placeOf(owner_url)} cannot be reached (${code}). Check DATABASE_URL, and that the server runs and lets this machine in.`
        )
      if (!told) log(`Waiting up to ${PATIENCE_MS / 1000} s for the database at ${placeOf(owner_url)} (${code}) ...`)
      told = true
    } finally {
      await close()
    }
    await new Promise(resolve => setTimeout(resolve, wait))
  }
}

/** Migrates the database, and logs what row-level security lacks. @returns the migrations applied now */
export async function bringUp(opened: Opened, log: (line: string) => void, signals: Signals): Promise<string[]> {
  const login =
    opened.url === opened.owner_url
      ? undefined
      : await onOneConnection({ ...opened, owner_url: opened.url }, log, signals, loginName)
  return onOneConnection(opened, log, signals, async db => {
    const owner = await loginName(db)
    const separate = login === owner ? undefined : login
    const applied = await migrations.up(db, separate)
    if (separate === undefined && (await makeRole(db)) === undefined)
      log(`This user may not create the role that the service should work as. ${adviceFor(owner)}`)
    return applied
  })
}

/** Host and port of a database URL, without the rest of it. */
function placeOf(url: string): string {
  const { host } = new URL(url)
  return host === '' ? 'its socket' : host
}
