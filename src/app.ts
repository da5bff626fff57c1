import { randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import { auditKeys, headLine } from './audit/chain/keys.js'
import { createBodyBudget } from './http/body/budget.js'
import type { Kernel } from './kernel/call.js'
import { createCatalogue } from './kernel/catalogue.js'
import { AppError } from './kernel/errors.js'
import { createKeys } from './agents/keys.js'
import { createLimits } from './limits/rate-limits.js'
import { createMetrics } from './kernel/metrics.js'
import { openApi } from './http/openapi.js'
import { createConcurrencyLimit } from './limits/concurrency-limit.js'
import { quotasOf } from './limits/quotas.js'
import { createSemaphore } from './kernel/semaphore.js'
import type { Service } from './kernel/service.js'
import type { Config } from './config/config.js'
import { rememberKeys } from './agents/store/api-keys.js'
import { drainContinuously } from './audit/chain/drainer.js'
import { keepHeads } from './audit/chain/head-file.js'
import { readLag } from './audit/chain/lag.js'
import type { Database } from './postgres/connect.js'
import { loggableFault } from './postgres/faults.js'
import { readFigures } from './guidance/store/figures.js'
import { endContinuously } from './lifecycle/worker.js'
import { followSessions } from './feed/follow-sessions.js'
import { followWorkspaces } from './feed/follow-workspaces.js'
import { deliveryPace } from './feed/pace.js'
import { openNotify } from './feed/store/notify.js'
import { createMemoryReader } from './memory/store/memory.js'
import { createMessageWriter } from './messages/store/message-writer.js'
import { countCalls } from './limits/store/rate-limits.js'
import { followRevocations } from './agents/store/revocations.js'
import { pendingCount } from './search/fill.js'
import { indexContinuously } from './search/worker.js'
import { need } from './sessions/store/sessions.js'
import { acrossWorkspaces, inWorkspace } from './postgres/scope.js'
import { createStore } from './audit/call-store.js'
import { sweepRegularly } from './lifecycle/sweep.js'
import { isReached, originOf, snapshotNow } from './feed/store/workspace-feed.js'
import { registerMcp } from './mcp/index.js'
import { registerBodies } from './http/body/index.js'
import { registerConnectionLimit } from './http/connections.js'
import { registerCors } from './http/cors.js'
import { registerDocs } from './http/docs.js'
import { failureOf, refuseRaw, refuseSocket, sendFailure } from './http/failures.js'
import { type Readiness, registerHealth } from './http/health.js'
import { registerHostCheck } from './http/hosts.js'
import { type Load, registerLoadLimit } from './http/load.js'
import { addGauges, observeRequests, registerMetricsPage } from './http/metrics.js'
import { registerProtectedResource } from './http/protected-resource.js'
import { registerRateLimits } from './http/rate-limits.js'
import { registerRest } from './http/rest.js'
import { registerSecurityHeaders } from './http/security-headers.js'
import { registerStreams } from './http/streams.js'
import { registerTokens } from './agents/tokens/tokens.js'
import { registerUnusedConnections } from './http/unused-connections.js'
import { tools } from './tools.js'
import { name, version } from './version.js'

export interface AppOptions {
  config: Config
  database: Database
  /** The first signs tokens, all verify them; the same on every replica. */
  jwt_secrets: readonly string[]
  /** Names this replica. */
  replica: string
  logger: NonNullable<FastifyServerOptions['loggerInstance']>
}

export interface App {
  server: FastifyInstance
  /** Only with METRICS_PORT: the page that is served there. */
  metricsServer: FastifyInstance | undefined
  kernel: Kernel
  load: Load
  /** Whether calls would succeed now, as /health/ready says. */
  unready: Readiness
  /** Says that this replica will stop: not ready any more, and what waits is answered. What is begun goes on. */
  stop: () => void
}

/** Messages that wait for the search index are counted up to here. */
const WAITING_COUNTED_MAX = 100_000

/**
 * Milliseconds a client may take over its headers, and over its body beyond what a call may take; less where a call may
 * take less.
 */
const HEADERS_TIMEOUT_MS = 10_000
const BODY_GRACE_MS = 5000
/** Bytes they may have, the address among them. */
const HEADERS_MAX = 16 * 1024
/** How soon after its time is up a slow client is noticed. */
const SLOW_CHECK_MS = 2000

/** Everything the service is, in order; nothing is opened, listened on or read from the environment here. */
export async function buildApp({ config, database, jwt_secrets, replica, logger }: AppOptions): Promise<App> {
  const load: Load = { phase: 'serving', in_flight: 0 }
  const atMost = (ms: number) => Math.min(ms, config.request_timeout_ms)
  const server = fastify({
    loggerInstance: logger,
    // The kernel logs each call once.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.body_limit,
    trustProxy: config.trust_proxy,
    requestTimeout: config.request_timeout_ms + atMost(BODY_GRACE_MS),
    http: {
      maxHeaderSize: HEADERS_MAX,
      headersTimeout: atMost(HEADERS_TIMEOUT_MS),
      connectionsCheckingInterval: atMost(SLOW_CHECK_MS)
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: request => requestId(request.headers['x-request-id']),
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: 200,
      onBadUrl: (_path, _request, response) => {
        refuseRaw(response, 404, new AppError('TOOL_NOT_FOUND', 'The address could not be read.'))
      }
    },
    clientErrorHandler: (error, socket) => {
      refuseSocket(error, socket)
    }
  } as FastifyServerOptions)

  const { db, pool, lastGoodAt, watch, client } = database
  const stopping = new AbortController()
  const store = createStore(db, server.log)
  const revocations = followRevocations(acrossWorkspaces(watch), config.statement_timeout_ms)
  const sweeping = sweepRegularly(acrossWorkspaces(db), error => {
    server.log.warn({ err: loggableFault(error) }, 'sweep failed')
  })
  const indexing = indexContinuously(acrossWorkspaces(db), error => {
    server.log.warn({ err: loggableFault(error) }, 'search index not filled')
  })
  const audit_keys = config.audit_hmac_keys && auditKeys(config.audit_hmac_keys)
  const draining =
    audit_keys &&
    drainContinuously({
      db: acrossWorkspaces(db),
      keys: audit_keys,
      onHead: keepHeads(
        config.audit_head_file,
        head => {
          server.log.info({ audit_head: headLine(head) }, 'audit head')
        },
        error => {
          server.log.error({ err: loggableFault(error) }, 'audit head not kept in AUDIT_HEAD_FILE')
        }
      ),
      onFault: error => {
        server.log.warn({ err: loggableFault(error) }, 'audit log not chained')
      }
    })
  const events = openNotify({ client, db: acrossWorkspaces(watch), log: server.log })
  const tokens = await registerTokens(server, {
    secrets: jwt_secrets,
    expires_in: config.jwt_expires_in,
    shared_keys: config.shared_api_key,
    revocations,
    outside: config
  })
  const following = {
    db,
    events,
    tokens,
    stopping: stopping.signal,
    readings: createSemaphore(Math.max(1, Math.floor(config.database_pool_max / 2))),
    pace: deliveryPace()
  }
  const live = followSessions({
    ...following,
    onFault: error => {
      server.log.warn({ err: loggableFault(error) }, 'session not read for those who wait')
    }
  })
  const per_minute = {
    agent: config.rate_limit_agent_per_minute,
    key: config.rate_limit_key_per_minute,
    address: config.rate_limit_address_per_minute,
    failure: config.rate_limit_failures_per_minute,
    initialize: config.rate_limit_initialize_per_minute
  }
  // Not on the pool: a call may hold a connection of it while it is counted, and would wait for another behind those
  // that do the same.
  const counting = countCalls(acrossWorkspaces(watch), per_minute)
  const quotas = quotasOf(config)
  const ending = endContinuously({
    db: acrossWorkspaces(db),
    retention_days: config.retention_days,
    audit: audit_keys && { keys: audit_keys, days: config.audit_retention_days },
    tell: events.publish,
    onFault: error => {
      server.log.warn({ err: loggableFault(error) }, 'deleted data not swept')
    }
  })
  const waiters = createConcurrencyLimit({
    max: config.waiters_max,
    per_agent: config.waiters_per_agent_max,
    what: 'calls that wait'
  })
  const bodies = createBodyBudget(config.body_memory)
  const metrics = createMetrics()
  const poolState = () => ({
    total: pool.totalCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
    max: config.database_pool_max
  })
  const service: Service = {
    name,
    version,
    replica,
    started_at: new Date(),
    tools,
    auth_enabled: config.auth_enabled,
    retention_days: config.retention_days,
    audit_retention_days: config.audit_retention_days,
    keys: createKeys(config.shared_api_key ? config : 'off', rememberKeys(acrossWorkspaces(watch), revocations)),
    tokens,
    limits: createLimits(counting.take, per_minute),
    quotas,
    metrics,
    audit_keys,
    events,
    live,
    messages: createMessageWriter(db, quotas),
    memory: createMemoryReader(db),
    waiters,
    stopping: stopping.signal,
    pool: poolState
  }
  const kernel: Kernel = {
    service,
    store,
    catalogue: createCatalogue(tools),
    log: server.log,
    request_timeout_ms: config.request_timeout_ms
  }

  registerSecurityHeaders(server)
  observeRequests(server, metrics)
  addGauges(metrics, {
    pool: poolState,
    figures: readFigures(acrossWorkspaces(db)),
    load,
    live,
    waiters,
    bodies,
    hints: events.mode,
    waiting: () => pendingCount(acrossWorkspaces(watch), undefined, WAITING_COUNTED_MAX),
    audit_lag: audit_keys && readLag(acrossWorkspaces(watch))
  })
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id)
    done()
  })
  registerHostCheck(server, config)
  await registerCors(server, config.cors_origins)
  registerRateLimits(server, kernel)
  // Node would answer an Expect that it does not know by itself, without a body; HTTP lets it be ignored.
  server.server.on('checkExpectation', (request, response) => server.server.emit('request', request, response))
  registerConnectionLimit(server, { max: config.connections_max, per_address: config.connections_per_address_max })
  registerUnusedConnections(server)
  registerLoadLimit(server, load, config.max_in_flight)
  registerBodies(server, { limit: config.body_limit, budget: bodies })
  server.setErrorHandler(async (error, request, reply) => sendFailure(reply, failureOf(error, request, kernel)))
  server.setNotFoundHandler(async (_request, reply) =>
    sendFailure(reply, new AppError('TOOL_NOT_FOUND', 'There is nothing at this address.'))
  )

  registerProtectedResource(server, name, config)
  registerRest(server, kernel)
  let origin: string | undefined
  registerStreams(server, kernel, {
    limit: createConcurrencyLimit({
      max: config.streams_max,
      per_agent: config.streams_per_agent_max,
      what: 'event streams'
    }),
    workspaces: followWorkspaces({
      ...following,
      onFault: error => {
        server.log.warn({ err: loggableFault(error) }, 'workspace not read for its streams')
      }
    }),
    headOf: async (agent, session_id) => (await need(inWorkspace(db, agent.workspace), agent, session_id)).last_seq,
    cursorNow: async () => ({ since: await snapshotNow(inWorkspace(db, undefined)) }),
    isReached: cursor => isReached(inWorkspace(db, undefined), cursor),
    origin: async () => (origin ??= await originOf(inWorkspace(db, undefined)))
  })
  await registerMcp(server, kernel)
  const unready = registerHealth(server, { db: inWorkspace(db, undefined), lastGoodAt, load, version })
  await registerDocs(server, openApi(tools, version))
  const metricsServer =
    config.metrics_port === undefined
      ? undefined
      : fastify({ loggerInstance: logger, logController: new LogController({ disableRequestLogging: true }) })
  if (metricsServer !== undefined) registerSecurityHeaders(metricsServer)
  registerMetricsPage(metricsServer ?? server, metrics)

  const stop = () => {
    if (load.phase === 'serving') load.phase = 'stopping'
    stopping.abort()
  }
  // Before the server waits for the requests that are under way.
  server.addHook('preClose', async () => {
    stop()
  })
  server.addHook('onClose', async () => {
    revocations.close()
    await ending.close()
    await events.close()
    await sweeping.close()
    await indexing.close()
    await store.close()
    await draining?.close()
    await counting.close()
    await metricsServer?.close()
  })
  return { server, metricsServer, kernel, load, unready, stop }
}

/**
 * A client's own request id is kept if it is harmless in a log, so that a call can be followed through several
 * services.
 */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID()
}
