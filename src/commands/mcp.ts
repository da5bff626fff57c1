import { buildApp } from '../app.js'
import type { Database } from '../postgres/connect.js'
import { serveLocal } from '../mcp/stdio.js'
import type { Telemetry } from '../telemetry/telemetry.js'
import { verb, type Verbs } from './command.js'
import { checkEnvironment } from './environment.js'
import { createLogger } from './logger.js'
import { migrateDatabase, connectForRequests, openContext } from './open.js'
import { notice } from './operator.js'
import { handleSignals } from './stop.js'
import { telemetryOf } from './telemetry.js'

export const verbs: Verbs = {
  '': verb({
    summary: 'Serves MCP over standard input and output to the program that started it. Logs go to standard error.',
    listsVariables: true,
    run: mcp
  })
}

async function mcp(): Promise<void> {
  const signals = handleSignals()
  await checkEnvironment(process.env, { listens: false })
  const context = await openContext('join', notice)
  const { config, embedded, replica } = context
  let database: Database | undefined
  let telemetry: Telemetry | undefined
  try {
    telemetry = await telemetryOf(config, replica)
    const logger = await createLogger(config, replica, 2, telemetry)
    for (const line of config.notices) logger.warn(line)
    if (config.migrate_on_start) await migrateDatabase(context, notice, signals)
    const tracing = telemetry?.tracing
    const connected = (database = connectForRequests(context, logger, tracing))
    const { jwt_secrets } = context
    const { server, metrics } = await buildApp({ config, database, jwt_secrets, replica, logger, tracing })
    telemetry?.exportMetrics(() => metrics.registry.getMetricsAsJSON())
    await server.ready()
    const local = serveLocal(server, {
      agent_id: config.agent_id,
      agent_type: config.agent_type,
      output_schemas: config.mcp_output_schemas,
      toolsets: config.mcp_toolsets,
      stdin: process.stdin,
      stdout: process.stdout
    })
    const stop = signals.shutDownWith(logger, [
      {
        name: 'drain',
        limit_ms: config.shutdown_timeout_ms,
        run: async () => {
          await local.close()
          await server.close()
        }
      },
      {
        name: 'close',
        limit_ms: 10_000,
        run: async () => {
          await Promise.all([connected.close(), telemetry?.close()])
        }
      },
      ...(embedded === undefined
        ? []
        : [{ name: 'leave the embedded PostgreSQL', limit_ms: 30_000, run: () => embedded.close() }])
    ])
    // An MCP client stops a local server by closing its input.
    void local.ended.then(() => {
      stop('end of input')
    })
    void embedded?.lost.then(error => {
      logger.fatal(error.message)
      process.exit(1)
    })
  } catch (error) {
    await telemetry?.close()
    await database?.close()
    await embedded?.close()
    signals.endStart(error)
  }
}
