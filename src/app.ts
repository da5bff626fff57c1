import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { agentsPlugin } from './agents/index.js'
import { auditPlugin, auditToolsPlugin } from './audit/index.js'
import type { Config } from './config/config.js'
import { dashboardPlugin } from './dashboard/index.js'
import { feedPlugin } from './feed/index.js'
import { guidancePlugin } from './guidance/index.js'
import { httpPlugin, requestsPlugin } from './http/index.js'
import { serverOptions } from './http/server-options.js'
import { inboxPlugin } from './inbox/index.js'
import { kernelPlugin } from './kernel/plugin.js'
import { leasesPlugin } from './leases/index.js'
import { lifecyclePlugin } from './lifecycle/index.js'
import { limitsPlugin } from './limits/index.js'
import { mcpPlugin } from './mcp/index.js'
import { memoryPlugin } from './memory/index.js'
import { messagesPlugin } from './messages/index.js'
import type { Tracing } from './kernel/tracing.js'
import type { Database } from './postgres/connect.js'
import { postgresPlugin } from './postgres/plugin.js'
import { redactionPlugin } from './redaction/index.js'
import { searchPlugin } from './search/index.js'
import { sessionsPlugin } from './sessions/index.js'
import { tasksPlugin } from './tasks/index.js'
import { transcriptsPlugin } from './transcripts/index.js'
import { name, version } from './version.js'

export interface AppOptions {
  config: Config
  database: Database
  /** The first signs tokens, all verify them; the same on every replica. */
  jwt_secrets: readonly string[]
  /** Names this replica. */
  replica: string
  logger: NonNullable<FastifyServerOptions['loggerInstance']>
  /** Undefined: nobody wants spans. */
  tracing?: Tracing
}

export interface App {
  server: FastifyInstance
  metricsServer: FastifyInstance | undefined
  kernel: FastifyInstance['kernel']
  load: FastifyInstance['load']
  unready: FastifyInstance['unready']
  stop: FastifyInstance['stop']
  makeSignInCode: FastifyInstance['makeSignInCode']
  metrics: FastifyInstance['metrics']
}

/**
 * The service: its plugins in their order. Clients see the tools in the order in which the plugins add them. Nothing
 * connects before the app is made ready (`ready` or `listen`).
 */
export async function buildApp({ config, database, jwt_secrets, replica, logger, tracing }: AppOptions): Promise<App> {
  const app: FastifyInstance = fastify(serverOptions(config, logger))
  const about = { name, version, replica, started_at: new Date() }
  await app.register(kernelPlugin, { about, request_timeout_ms: config.request_timeout_ms, tracing })
  await app.register(postgresPlugin, { database })
  await app.register(limitsPlugin, config)
  await app.register(redactionPlugin, config)
  await app.register(auditPlugin, config)
  await app.register(agentsPlugin, { ...config, jwt_secrets })
  await app.register(requestsPlugin, config)
  await app.register(sessionsPlugin)
  await app.register(messagesPlugin, config)
  await app.register(feedPlugin, config)
  await app.register(inboxPlugin)
  await app.register(searchPlugin, config)
  await app.register(memoryPlugin, config)
  await app.register(tasksPlugin)
  await app.register(leasesPlugin)
  await app.register(transcriptsPlugin)
  await app.register(guidancePlugin, config)
  await app.register(auditToolsPlugin)
  await app.register(lifecyclePlugin, config)
  await app.register(httpPlugin, config)
  await app.register(mcpPlugin)
  await app.register(dashboardPlugin, config)
  const { metricsServer, kernel, load, unready, stop, makeSignInCode, metrics } = app
  return { server: app, metricsServer, kernel, load, unready, stop, makeSignInCode, metrics }
}
