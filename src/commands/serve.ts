import { createServer } from 'node:net'
import pino from 'pino'
import type { FastifyInstance } from 'fastify'
import { type App, buildApp } from '../app.js'
import { type Config, ConfigError, isLoopback, loadConfig } from '../config/config.js'
import type { Database } from '../postgres/connect.js'
import { banner } from './banner.js'
import { bringUp, connectForRequests, type Opened, open } from './open.js'
import { expectSignals, type Signals } from './stop.js'

export const USAGE = 'serve takes no arguments; environment variables configure it.'

/**
 * Runs the service until a signal. Logs are JSON lines on stdout; what an operator reads at the start goes to stderr.
 */
export async function serve(args: string[]): Promise<void> {
  if (args.length > 0) throw new ConfigError(USAGE)
  const tell = (line: string) => {
    process.stderr.write(`${line}\n`)
  }
  const signals = expectSignals()
  await requireFreePort(loadConfig(process.env))
  const opened = await open('serve', tell)
  const { config, embedded } = opened
  const logger = pino({
    level: config.log_level,
    base: { replica: opened.replica },
    timestamp: pino.stdTimeFunctions.isoTime
  })
  let database: Database | undefined
  try {
    if (config.migrate_on_start) {
      const applied = await bringUp(opened, tell, signals)
      if (applied.length > 0) logger.info({ applied }, 'migrated')
    }
    database = connectForRequests(opened, logger)
    const app = await buildApp({ config, database, jwt_secrets: opened.jwt_secrets, replica: opened.replica, logger })
    await listen(app, config)
    warn(config, logger)
    const stopFor = stop(app, database, opened, signals)
    void tellWhenReady(app, banner(addressOf(app.server, config.host), opened), tell)
    void embedded?.lost.then(error => {
      logger.fatal(error.message)
      process.exitCode = 1
      stopFor('the embedded PostgreSQL is lost')
    })
  } catch (error) {
    await database?.close()
    await embedded?.close()
    throw error
  }
}

/** Before anything is begun: a port that is taken would be noticed only after a database has been made. */
async function requireFreePort({ host, port, metrics_port }: Config): Promise<void> {
  for (const [variable, wanted] of [
    ['PORT', port],
    ['METRICS_PORT', metrics_port]
  ] as const) {
    if (wanted === undefined || wanted === 0) continue
    const probe = createServer()
    try {
      await new Promise<void>((resolve, reject) => {
        probe.once('error', reject).listen(wanted, host, resolve)
      })
    } catch (error) {
      throw listenFault(error, variable, host, wanted)
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
      throw listenFault(error, 'PORT', host, port)
    })
    if (metrics_port !== undefined)
      await app.metricsServer?.listen({ host, port: metrics_port }).catch((error: unknown) => {
        throw listenFault(error, 'METRICS_PORT', host, metrics_port)
      })
  } catch (error) {
    await app.server.close()
    throw error
  }
}

/** Why a port cannot be had, in a sentence. */
function listenFault(error: unknown, variable: string, host: string, port: number): unknown {
  const { code } = error as { code?: string }
  if (code === 'EADDRINUSE')
    return new ConfigError(`Port ${port} on ${host} is taken by another program. Set ${variable} to a free one.`)
  if (code === 'EACCES')
    return new ConfigError(`This user may not listen on port ${port}. Set ${variable} to 1024 or above.`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new ConfigError(`HOST ${host} is not an address of this machine.`)
  return error
}

/** Milliseconds between two looks at whether the service is ready. */
const READY_LOOK_MS = 250

/** Says "is ready" when it is. Until then it says once, for each reason, why it is not. */
async function tellWhenReady({ unready, load }: App, ready: string, tell: (line: string) => void): Promise<void> {
  for (
    let said: string | undefined;
    load.phase === 'serving';
    await new Promise(resolve => setTimeout(resolve, READY_LOOK_MS))
  ) {
    const reason = await unready()
    if (reason === undefined) {
      tell(ready)
      return
    }
    if (reason !== said && reason !== 'stopping')
      tell(`Listening, but not ready yet: ${reason}. Calls are answered with 503 meanwhile.`)
    said = reason
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
    logger.warn('SHARED_API_KEY=off: API_KEY and ADMIN_API_KEY are set, and not taken')
  if (config.audit_hmac_keys === undefined)
    logger.warn(
      'AUDIT_HMAC_KEY is not set: nobody can prove that the audit log is as it was written (openssl rand -hex 32)'
    )
  if (!isLoopback(config.host) && config.allowed_hosts === undefined)
    logger.debug('ALLOWED_HOSTS is not set: requests are taken whatever host they name')
}

/** Not ready → drain → close, each within its time. */
function stop(
  { server, load, stop: sayStopping }: App,
  database: Database,
  { config, embedded }: Opened,
  signals: Signals
): (reason: string) => void {
  const log = server.log
  return signals.stopWith(log, [
    {
      name: 'not ready',
      limit_ms: config.shutdown_delay_ms + 1000,
      async run() {
        // Waits and streams end at once, so that their clients come back by a load balancer that knows.
        sayStopping()
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
