import type pino from 'pino'
import type { FastifyInstance } from 'fastify'
import type { App } from '../app.js'
import { type Config, isLoopback } from '../config/config.js'
import { parseDatabaseUrl } from '../config/database-url.js'
import { explainConnect } from '../postgres/connect-faults.js'
import { banner } from './banner.js'
import { verb, type Verbs } from './command.js'
import type { CommandContext } from './open.js'
import { notice } from './operator.js'
import { noteServer } from './running-server.js'
import { type Started, startService } from './start-service.js'

export const verbs: Verbs = {
  '': verb({
    summary: 'Runs the service until a signal stops it. Logs go to standard output, notices to standard error.',
    listsVariables: true,
    run: serve
  })
}

export function serve(): Promise<void> {
  return startService('serve', async started => {
    const { app, context, database, logger } = started
    const { config, embedded, url } = context
    await listen(app, config)
    warn(config, logger)
    const shutDown = prepareShutdown(started)
    const why = () => explainConnect(database.lastFault(), parseDatabaseUrl(url), 'DATABASE_URL')?.sentence
    const address = addressOf(app.server, config.host)
    if (embedded !== undefined) await noteServer(embedded.dataDir, address)
    const ready = banner(address, context, signInCode(app, context))
    void announceWhenReady(app, ready, why, notice)
    void embedded?.lost.then(error => {
      logger.fatal(error.message)
      process.exitCode = 1
      shutDown('the embedded PostgreSQL has stopped')
    })
  })
}

/** Only another program that was faster since the check of the environment can still be in the way here. */
async function listen(app: App, { host, port, metrics_port }: Config): Promise<void> {
  try {
    await app.server.listen({ host, port })
    if (metrics_port !== undefined) await app.metricsServer?.listen({ host, port: metrics_port })
  } catch (error) {
    await app.server.close()
    throw error
  }
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

/** A code for the printed link: only for the one who sits at this machine's terminal, with data of its own. */
function signInCode({ makeSignInCode }: App, { config, embedded }: CommandContext): string | undefined {
  const isLocal = embedded !== undefined && isLoopback(config.host) && process.stderr.isTTY
  return isLocal ? makeSignInCode?.() : undefined
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
function prepareShutdown({ app, context: { config }, signals, closing }: Started): (reason: string) => void {
  const { server, load, stop: announceStopping } = app
  return signals.shutDownWith(server.log, [
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
    ...closing
  ])
}
