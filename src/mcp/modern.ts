import {
  createMcpHandler,
  type InboundClassificationOutcome,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  Server
} from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js'
import type { FastifyReply, FastifyRequest, FastifyInstance } from 'fastify'
import { refuse } from '../kernel/authorize.js'
import type { Caller } from '../kernel/caller.js'
import { sendAnswer } from './answers.js'
import { canAsk, capabilitiesIn, questionOf } from './confirmation.js'
import { refusal, RpcFailure } from './failure.js'
import { acceptsEvents, LISTEN, type Message } from './messages.js'
import type { Methods } from './methods.js'
import { createServer, Exchanges, serverOptions } from './sdk.js'
import { serveListen } from './subscriptions/listen.js'
import type { Streams } from './subscriptions/streams.js'
import type { Watches } from './subscriptions/watch.js'

const REVISION = '2026-07-28'
const HEADERS = ['mcp-protocol-version', 'mcp-method', 'mcp-name']

/** Serves 2026-07-28 clients: no connection, every request says who and what the client is. */
export function serveModern(methods: Methods, means: { streams: Streams; watches: Watches }, app: FastifyInstance) {
  const { about } = app
  const options = {
    legacy: 'reject',
    onerror(error: Error) {
      app.log.info({ err: app.kernel.ports.loggableFault(error) }, 'mcp request refused')
    }
  } as const
  const callers = new WeakMap<Request, Caller>()
  const handler = createMcpHandler(({ requestInfo }) => {
    const request = requestInfo as Request
    return createServer(methods, about, () => callers.get(request) as Caller, request.headers.get('mcp-method') ?? '')
  }, options)
  const plain = servePlainCalls(methods, options, app)
  const listen = serveListen(
    means,
    () =>
      createServer(methods, about, () => {
        throw new Error('A listen request calls nothing.')
      }),
    app
  )
  return {
    /**
     * @param era what the SDK finds the request to be
     * @returns undefined if the reply has the answer, or a stream of its own
     */
    async answer(
      request: FastifyRequest,
      era: InboundClassificationOutcome,
      reply: FastifyReply,
      caller: Caller
    ): Promise<Response | undefined> {
      const call = plainCallOf(request, era, app)
      if (call !== undefined) {
        sendAnswer(reply, await plain.answer(call, caller))
        return undefined
      }
      const headers = new Headers({ 'content-type': 'application/json' })
      for (const name of HEADERS) {
        const value = request.headers[name]
        if (typeof value === 'string') headers.set(name, value)
      }
      // A client that goes away has cancelled what it asked for.
      const signal = caller.disconnected?.() ?? null
      const exchange = new Request('http://localhost/mcp', { method: 'POST', headers, signal })
      callers.set(exchange, caller)
      // Without a stream nobody can be told of progress.
      if (!acceptsEvents(request)) caller.progress = () => {}
      const body = request.body as Message | null
      if (body?.method !== LISTEN) return handler.fetch(exchange, { parsedBody: body })
      try {
        return await listen(exchange, body, reply, caller)
      } catch (thrown) {
        const { code, message, data } =
          thrown instanceof RpcFailure
            ? thrown
            : refusal(await refuse(thrown, LISTEN, null, caller, app.kernel), caller.request_id)
        return Response.json({ jsonrpc: '2.0', id: body.id, error: { code, message, data } })
      }
    },
    async close() {
      await handler.close()
      await plain.close()
    }
  }
}

/**
 * The call in a request, if every header is there and says what the body says, and nothing but an answer can come of
 * it. Any other request is for the SDK's own handler, with all its rules.
 */
function plainCallOf(
  { headers }: FastifyRequest,
  era: InboundClassificationOutcome,
  { kernel }: FastifyInstance
): JSONRPCRequest | undefined {
  if (era.kind !== 'modern' || era.messageKind !== 'request') return undefined
  const call = era.message
  const { name, _meta, ...more } = (call.params ?? {}) as {
    name?: unknown
    _meta?: Record<string, unknown>
    arguments?: unknown
  }
  const plain =
    call.method === 'tools/call' &&
    headers['mcp-method'] === 'tools/call' &&
    headers['mcp-protocol-version'] === REVISION &&
    _meta?.[PROTOCOL_VERSION_META_KEY] === REVISION &&
    typeof name === 'string' &&
    headers['mcp-name'] === name &&
    !name.startsWith('=?') &&
    _meta.progressToken === undefined &&
    _meta[LOG_LEVEL_META_KEY] === undefined &&
    Object.keys(more).every(key => key === 'arguments') &&
    // Before it, the user of the client may have to be asked.
    !(canAsk(capabilitiesIn(_meta)) && questionOf(kernel.find(name)?.tool, more.arguments) !== undefined)
  return plain ? call : undefined
}

/**
 * Answers plain calls with one SDK server for the life of the app. To build a server for each request, with a
 * transport, a Request and a Response, costs as much as the call itself. (bench, mcp: 0.45 of REST's rate with a server
 * for each, 0.68 with one.)
 */
function servePlainCalls(
  methods: Methods,
  options: { legacy: 'reject'; onerror: (error: Error) => void },
  { about: { name, version } }: FastifyInstance
) {
  const exchanges = new Exchanges()
  // The SDK serves many requests of this revision by one server only on a connection, which all clients share here.
  const connection = serveStdio(
    () => {
      const server = new Server({ name, version }, serverOptions)
      server.fallbackRequestHandler = ({ method, params }, { mcpReq }) =>
        methods.answer(method, params, exchanges.callerOf(mcpReq.id))
      return server
    },
    { transport: exchanges, ...options }
  )
  return {
    answer: (call: JSONRPCRequest, caller: Caller) => exchanges.answer(call, caller),
    close: () => connection.close()
  }
}
