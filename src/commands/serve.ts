import pino from 'pino'
import type { FastifyInstance } from 'fastify'
import { type App, buildApp } from '../app.js'
import { type Config, ConfigError, isLoopback } from '../config.js'
import type { Database } from '../db/connect.js'
import * as migrations from '../db/migrate.js'
import { banner } from './banner.js'
import { connectForRequests, onOneConnection, type Opened, open } from './open.js'
import { stopOnSignal } from './stop.js'

/** Runs the service until a signal. Logs are JSON lines on stdout; what an operator reads at the start goes to stderr. */
export async function serve (args: string[]): Promise<void> {
  if (args.length > 0) throw new ConfigError('serve takes no arguments; it is configured by environment variables (README.md).')
  const tell = (line: string) => { process.stderr.write(`${line}\n`) }
  const opened = await open('serve', tell)
  const { config, embedded } = opened
  const logger = pino({ level: config.log_level, base: { replica: opened.replica }, timestamp: pino.stdTimeFunctions.isoTime })
  let database: Database | undefined
  try {
    if (config.migrate_on_start) {
      await onOneConnection(opened.url, opened.replica, tell, async ({ db }) => {
        const applied = await migrations.up(db)
        if (applied.length > 0) logger.info({ applied }, 'migrated')
      })
    }
    database = connectForRequests(opened, logger)
    const app = await buildApp({ config, database, jwt_secret: opened.jwt_secret, replica: opened.replica, logger })
    await listen(app, config)
    tell(banner(addressOf(app.server, config.host), opened))
    warn(config, logger)
    stop(app, database, opened)
    void embedded?.lost.then(async error => {
      logger.fatal(error.message)
      process.exit(1)
    })
  } catch (error) {
    await database?.close()
    await embedded?.close()
    throw error
  }
}

async function listen (app: App, config: Config): Promise<void> {
  try {
    await app.server.listen({ host: config.host, port: config.port })
    await app.metricsServer?.listen({ host: config.host, port: config.metrics_port })
  } catch (error) {
    await app.server.close()
    const { code, port } = error as { code?: string, port?: number }
    if (code === 'EADDRINUSE') throw new ConfigError(`Port ${port ?? config.port} on ${config.host} is taken by another program. Set PORT to a free one.`)
    if (code === 'EACCES') throw new ConfigError(`This user may not listen on port ${port ?? config.port}. Set PORT to 1024 or above.`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') throw new ConfigError(`HOST ${config.host} is not an address of this machine.`)
    throw error
  }
}

function addressOf (server: FastifyInstance, host: string): string {
  const address = server.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : ''
  return `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}

function warn (config: Config, logger: pino.Logger): void {
  if (!config.auth_enabled) logger.warn('AUTH_ENABLED=false: every caller without credentials may read and write')
  if (!isLoopback(config.host) && config.allowed_hosts === undefined) logger.debug('ALLOWED_HOSTS is not set: requests are taken whatever host they name')
}

/** Not ready → drain → close, each within its time. */
function stop ({ server, load }: App, database: Database, { config, embedded }: Opened): void {
  const log = server.log
  stopOnSignal(log, [
    {
      name: 'not ready',
      limit_ms: config.shutdown_delay_ms + 1000,
      async run () {
        load.phase = 'stopping'
        await new Promise(resolve => setTimeout(resolve, config.shutdown_delay_ms))
      }
    },
    {
      name: 'drain',
      limit_ms: config.shutdown_timeout_ms,
      async run () {
        load.phase = 'closing'
        await server.close()
      }
    },
    { name: 'close', limit_ms: 10_000, run: async () => { await database.close() } },
    ...(embedded === undefined ? [] : [{ name: 'stop the embedded PostgreSQL', limit_ms: 30_000, run: () => embedded.close() }])
  ])
}
