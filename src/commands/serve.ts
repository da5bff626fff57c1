import { createServer } from 'node:net'
import pino from 'pino'
import type { FastifyInstance } from 'fastify'
import { type App, buildApp } from '../app.js'
import { type Config, ConfigError, isLoopback, loadConfig } from '../config/config.js'
import { parseDatabaseUrl } from '../config/database-url.js'
import { explainConnect } from '../postgres/connect-faults.js'
import type { Database } from '../postgres/connect.js'
import { banner } from './banner.js'
import { migrateDatabase, connectForRequests, type CommandContext, openContext } from './open.js'
import { handleSignals, type Signals } from './stop.js'

export const USAGE = 'serve takes no arguments; environment variables configure it.'

/**
 * Runs the service until a signal stops it. Logs go to stdout as JSON lines; notices for the operator go to stderr.
 * @throws ConfigError if there are arguments, the configuration has errors, or a port cannot be used
 */
export async function serve(args: string[]): Promise<void> {
  if (args.length > 0) throw new ConfigError(USAGE)
  const log = (line: string) => {
    process.stderr.write(`${line}\n`)
  }
  const signals = handleSignals()
  await requireFreePort(loadConfig(process.env))
  const context = await openContext('serve', log)
  const { config, embedded } = context
  const logger = pino({
    level: config.log_level,
    base: { replica: context.replica },
    timestamp: pino.stdTimeFunctions.isoTime
  })
  let database: Database | undefined
  try {
    if (config.migrate_on_start) {
      const applied = await migrateDatabase(context, log, signals)
      if (applied.length > 0) logger.info({ applied }, 'migrated')
    }
    database = connectForRequests(context, logger)
    const app = await buildApp({ config, database, jwt_secrets: context.jwt_secrets, replica: context.replica, logger })
    await listen(app, config)
    warn(config, logger)
    const shutDown = prepareShutdown(app, database, context, signals)
    const { lastFault } = database
    const why = () => explainConnect(lastFault(), parseDatabaseUrl(context.url), 'DATABASE_URL')?.sentence
    void announceWhenReady(app, banner(addressOf(app.server, config.host), context), why, log)
    void embedded?.lost.then(error => {
      logger.fatal(error.message)
      process.exitCode = 1
      shutDown('the embedded PostgreSQL has stopped')
    })
  } catch (error) {
    await database?.close()
    await embedded?.close()
    throw error
  }
}

/** Checks the ports first, so that a port in use is reported before a database is created. */
async function requireFreePort({ host, port, metrics_port }: Config): Promise<void> {
  for (const [variable, wantedPort] of [
    ['PORT', port],
    ['METRICS_PORT', metrics_port]
  ] as const) {
    if (wantedPort === undefined || wantedPort === 0) continue
    const probe = createServer()
    try {
      await new Promise<void>((resolve, reject) => {
        probe.once('error', reject).listen(wantedPort, host, resolve)
      })
    } catch (error) {
      throw listenError(error, variable, host, wantedPort)
    } finally {
      await new Promise(resolve => {
        probe.close(resolve)
      })
    }
  }
}

async function listen(app: App, { host, port, metrics_port }: Config): Promise<void> {
  try {
    await app.server.listen({ host, port }).catch((error: unknown) => {
      throw listenError(error, 'PORT', host, port)
    })
    if (metrics_port !== undefined)
      await app.metricsServer?.listen({ host, port: metrics_port }).catch((error: unknown) => {
        throw listenError(error, 'METRICS_PORT', host, metrics_port)
      })
  } catch (error) {
    await app.server.close()
    throw error
  }
}

/** Explains to the operator why the service cannot listen; other errors pass unchanged. */
function listenError(error: unknown, variable: string, host: string, port: number): unknown {
  const { code } = error as { code?: string }
  if (code === 'EADDRINUSE')
    return new ConfigError(`Another program uses port ${port} on ${host}. Set ${variable} to a free port.`)
  if (code === 'EACCES')
    return new ConfigError(`This user may not listen on port ${port}. Set ${variable} to 1024 or above.`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new ConfigError(`HOST ${host} is not an address of this machine.`)
  return error
}

/** Milliseconds between two readiness checks. */
const READY_POLL_MS = 250

/**
 * Prints the banner once the service is ready. Until then it prints each reason why it is not, once.
 * @param why the fault of the database, for the operator
 */
async function announceWhenReady(
  { unready, load }: App,
  ready: string,
  why: () => string | undefined,
  log: (line: string) => void
): Promise<void> {
  for (
    let lastReason: string | undefined;
    load.phase === 'serving';
    await new Promise(resolve => setTimeout(resolve, READY_POLL_MS))
  ) {
    const reason = await unready()
    if (reason === undefined) {
      log(ready)
      return
    }
    if (reason !== lastReason && reason !== 'stopping')
      log([`Listening, but not ready yet: ${reason}. Until then, calls get status 503.`, why()].join(' ').trim())
    lastReason = reason
  }
}

function addressOf(server: FastifyInstance, host: string): string {
  const address = server.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : ''
  return `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}

function warn(config: Config, logger: pino.Logger): void {
  if (!config.auth_enabled) logger.warn('AUTH_ENABLED=false: every caller without credentials may read and write')
  if (
    !config.shared_api_key &&
    process.env.DATABASE_URL !== undefined &&
    (config.api_key ?? config.admin_api_key) !== undefined
  )
    logger.warn('SHARED_API_KEY=off: the service ignores API_KEY and ADMIN_API_KEY')
  if (config.audit_hmac_keys === undefined)
    logger.warn('AUDIT_HMAC_KEY is not set: nobody can prove that the audit log is unchanged (openssl rand -hex 32)')
  if (!isLoopback(config.host) && config.allowed_hosts === undefined)
    logger.debug('ALLOWED_HOSTS is not set: the service accepts any Host header')
}

/** Shuts down in phases, each with a time limit: report not ready, drain requests, close connections. */
function prepareShutdown(
  { server, load, stop: announceStopping }: App,
  database: Database,
  { config, embedded }: CommandContext,
  signals: Signals
): (reason: string) => void {
  const log = server.log
  return signals.shutDownWith(log, [
    {
      name: 'not ready',
      limit_ms: config.shutdown_delay_ms + 1000,
      async run() {
        // Waiting calls and streams end at once, so that their clients reconnect through the load balancer.
        announceStopping()
        await new Promise(resolve => setTimeout(resolve, config.shutdown_delay_ms))
      }
    },
    {
      name: 'drain',
      limit_ms: config.shutdown_timeout_ms,
      async run() {
        load.phase = 'closing'
        await server.close()
      }
    },
    {
      name: 'close',
      limit_ms: 10_000,
      run: async () => {
        await database.close()
      }
    },
    ...(embedded === undefined
      ? []
      : [{ name: 'stop the embedded PostgreSQL', limit_ms: 30_000, run: () => embedded.close() }])
  ])
}
