import type pino from 'pino'
import { type App, buildApp } from '../app.js'
import type { Database } from '../postgres/connect.js'
import type { Telemetry } from '../telemetry/telemetry.js'
import { checkEnvironment } from './environment.js'
import { createLogger } from './logger.js'
import { type CommandContext, connectForRequests, migrateDatabase, openContext } from './open.js'
import { notice } from './operator.js'
import { handleSignals, type Phase, type Signals } from './stop.js'
import { logProblems, telemetryOf } from './telemetry.js'

/** A service that has started, but does not listen to anybody yet. */
export interface Started {
  app: App
  context: CommandContext
  database: Database
  logger: pino.Logger
  signals: Signals
  /** The last phases of its shutdown. */
  closing: Phase[]
}

/**
 * Starts the service, and lets `listen` do the rest. If that fails, it closes what it has opened.
 * @param mode `serve`: on a port, with logs on standard output; `join`: to the program that started this one, which
 * reads standard output
 */
export async function startService(mode: 'serve' | 'join', listen: (started: Started) => Promise<void>): Promise<void> {
  const listens = mode === 'serve'
  const signals = handleSignals()
  await checkEnvironment(process.env, { listens })
  const context = await openContext(mode, notice)
  const { config, embedded, replica, jwt_secrets } = context
  let database: Database | undefined
  let telemetry: Telemetry | undefined
  const close = async () => {
    await Promise.all([database?.close(), telemetry?.close()])
  }
  try {
    telemetry = await telemetryOf(config, replica)
    const logger = await createLogger(config, replica, listens ? 1 : 2, telemetry)
    if (telemetry !== undefined) logProblems(telemetry, config, logger)
    for (const line of config.notices) logger.warn(line)
    if (config.migrate_on_start) {
      const applied = await migrateDatabase(context, notice, signals)
      if (applied.length > 0) logger.info({ applied }, 'migrated')
    }
    const tracing = telemetry?.tracing
    database = connectForRequests(context, logger, tracing)
    const app = await buildApp({ config, database, jwt_secrets, replica, logger, tracing })
    telemetry?.exportMetrics(() => app.metrics.registry.getMetricsAsJSON())
    const closing: Phase[] = [{ name: 'close', limit_ms: 10_000, run: close }]
    if (embedded !== undefined) {
      const name = `${listens ? 'stop' : 'leave'} the embedded PostgreSQL`
      closing.push({ name, limit_ms: 30_000, run: () => embedded.close() })
    }
    await listen({ app, context, database, logger, signals, closing })
  } catch (error) {
    await close()
    await embedded?.close()
    signals.endStart(error)
  }
}
