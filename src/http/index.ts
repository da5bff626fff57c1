import fastify from 'fastify'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import fp from 'fastify-plugin'
import { isReached, originOf, snapshotNow, upToNow } from '../feed/store/cursor-snapshots.js'
import { AppError } from '../kernel/errors.js'
import { ConcurrencyLimit } from '../kernel/semaphore.js'
import { inWorkspace } from '../postgres/scope.js'
import { readSessionOrThrow } from '../sessions/store/sessions.js'
import { createBodyBudget } from './body/budget.js'
import { registerBodies } from './body/index.js'
import { registerConnections } from './connection/index.js'
import { registerConnectionLimit } from './connection/limits.js'
import { answerPreflights, registerCors } from './cors.js'
import { registerDocs } from './docs.js'
import { failureOf, sendFailure } from './failures.js'
import { type Readiness, registerHealth } from './health.js'
import { type HostRules, registerHostCheck } from './hosts.js'
import { type Load, registerLoadLimit } from './load.js'
import { addHttpGauges, addReadyGauge, observeRequests, registerMetricsPage } from './metrics.js'
import { openApi } from './openapi.js'
import { refuseAddress, registerMethods } from './methods.js'
import { type ProtectedResourceOptions, registerProtectedResource } from './protected-resource.js'
import { registerRateLimits } from './rate-limits.js'
import { registerRest } from './rest.js'
import { registerSecurityHeaders } from './security-headers.js'
import { registerStreams } from './streams.js'

declare module 'fastify' {
  interface FastifyInstance {
    load: Load
    /** Why calls would fail now, as /health/ready says; undefined if they would succeed. */
    unready: Readiness
    /** Only with METRICS_PORT: the page that is served there. */
    metricsServer: FastifyInstance | undefined
  }
}

export interface HttpOptions extends HostRules, ProtectedResourceOptions {
  cors_origins: string[]
  connections_max: number
  connections_per_address_max: number
  max_in_flight: number
  body_limit: number
  body_memory: number
  streams_max: number
  streams_per_agent_max: number
  metrics_port: number | undefined
}

/** What every request passes, in this order, before its route: headers, host, origin, limits, body. */
export const requestsPlugin = fp(
  async (app, options: HttpOptions) => {
    const load: Load = { phase: 'serving', in_flight: 0 }
    const budget = createBodyBudget(options.body_memory)
    app.decorate('load', load)
    registerSecurityHeaders(app)
    observeRequests(app, app.metrics)
    addHttpGauges(app.metrics, load, options.max_in_flight, budget)
    app.addHook('onRequest', (request, reply, done) => {
      void reply.header('x-request-id', request.id)
      done()
    })
    registerHostCheck(app, options)
    await registerCors(app, options.cors_origins)
    registerRateLimits(app)
    answerPreflights(app)
    registerMethods(app)
    registerConnections(app)
    registerConnectionLimit(app, {
      max: options.connections_max,
      per_address: options.connections_per_address_max
    })
    registerLoadLimit(app, load, options.max_in_flight)
    const refuse = (request: FastifyRequest, reply: FastifyReply) =>
      refuseAddress(request, reply, nothingAt(request.url))
    // Before a body is read: its answer does not depend on the body.
    app.addHook('onRequest', (request, reply, next) => {
      if (request.is404) void refuse(request, reply)
      else next()
    })
    registerBodies(app, { limit: options.body_limit, budget })
    app.setErrorHandler(async (error, request, reply) => sendFailure(reply, failureOf(error, request)))
    app.setNotFoundHandler(async (request, reply) => refuse(request, reply))
    registerProtectedResource(app, app.about.name, options)
  },
  { name: 'requests', dependencies: ['kernel', 'limits', 'agents'] }
)

/** The routes of the REST front: tools, streams, health, metrics, documentation. After the plugins that add tools. */
export const httpPlugin = fp(
  async (app, options: HttpOptions) => {
    const { db, lastGoodAt } = app.database
    const nobody = inWorkspace(db, undefined)
    registerRest(app)
    let origin: string | undefined
    registerStreams(app, {
      limit: new ConcurrencyLimit({
        max: options.streams_max,
        per_agent: options.streams_per_agent_max,
        what: 'event streams'
      }),
      headOf: async (agent, session_id) =>
        (await readSessionOrThrow(inWorkspace(db, agent.workspace), agent, session_id)).last_seq,
      cursorNow: async ({ workspace }) => ({ since: await snapshotNow(inWorkspace(db, workspace), workspace) }),
      isReached: cursor => isReached(nobody, cursor),
      upToNow: (cursor, { workspace }) => upToNow(inWorkspace(db, workspace), workspace, cursor),
      origin: async () => (origin ??= await originOf(nobody))
    })
    app.decorate('unready', registerHealth(app, { db: nobody, lastGoodAt, load: app.load, version: app.about.version }))
    addReadyGauge(app.metrics, app.unready)
    await registerDocs(app, openApi(app.kernel.described, app.about.version))
    const metricsServer = options.metrics_port === undefined ? undefined : serverForMetrics(app)
    app.decorate('metricsServer', metricsServer)
    registerMetricsPage(metricsServer ?? app, app.metrics)
    app.addHook('onClose', () => metricsServer?.close())
  },
  { name: 'http', dependencies: ['requests', 'feed'] }
)

/** Addresses of the HTTP+SSE transport, which MCP had until 2024. */
const OLD_MCP = /^\/(sse|messages?)\/?(\?|$)/

function nothingAt(address: string): AppError {
  if (!OLD_MCP.test(address)) return new AppError('TOOL_NOT_FOUND', 'There is nothing at this address.')
  return new AppError('TOOL_NOT_FOUND', 'There is nothing at this address: use /mcp for MCP.', {
    suggestions: [
      'Set the address of the server to /mcp, and the transport of the client to streamable HTTP',
      'The server does not offer the older transport HTTP+SSE, with its address /sse'
    ]
  })
}

function serverForMetrics(app: FastifyInstance): FastifyInstance {
  const server = fastify({
    loggerInstance: app.log,
    logController: new LogController({ disableRequestLogging: true })
  })
  registerSecurityHeaders(server)
  return server
}
