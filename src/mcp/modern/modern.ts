import {
  CLIENT_INFO_META_KEY,
  createMcpHandler,
  type InboundClassificationOutcome,
  Server
} from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest, FastifyInstance } from 'fastify'
import { anySignal, type Caller } from '../../kernel/caller.js'
import type { About } from '../../kernel/about.js'
import { refuse } from '../../kernel/authorize.js'
import type { Message } from '../credentials.js'
import { refusal } from '../failure.js'
import { serveListen } from '../subscriptions/listen.js'
import { plainCallOf, servePlainCalls } from './plain-calls.js'
import { capabilities, instructions, type Methods } from '../methods.js'
import { progressOf, progressTokenOf } from '../progress.js'
import { acceptsEvents, sendJson } from '../legacy/sessions.js'
import type { Streams } from '../subscriptions/streams.js'
import { noValidator } from '../validator.js'
import type { Watches } from '../subscriptions/watch.js'

/** 2026-07-28 clients: no connection, every request says who and what the client is. */
export interface Modern {
  /** @returns undefined where the reply has the answer, or a stream of its own */
  answer: (
    request: FastifyRequest,
    era: InboundClassificationOutcome,
    reply: FastifyReply,
    caller: Caller
  ) => Promise<Response | undefined>
  close: () => Promise<void>
}

export const LISTEN = 'subscriptions/listen'
const HEADERS = ['mcp-protocol-version', 'mcp-method', 'mcp-name']

export function serveModern(
  methods: Methods,
  means: { streams: Streams; watches: Watches },
  app: FastifyInstance
): Modern {
  const { about, log, kernel } = app
  const callers = new WeakMap<Request, Caller>()
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const caller = callers.get(requestInfo as Request) as Caller
      return createServer(methods, about, () => caller, methodOf(requestInfo as Request))
    },
    {
      legacy: 'reject',
      onerror: error => {
        log.info({ err: kernel.ports.loggableFault(error) }, 'mcp request refused')
      }
    }
  )
  const plain = servePlainCalls(methods, app)
  const listen = serveListen(
    means,
    () =>
      createServer(methods, about, () => {
        throw new Error('A listen request calls nothing.')
      }),
    app
  )
  return {
    async answer(request, era, reply, caller) {
      const call = plainCallOf(request, era)
      if (call !== undefined) {
        sendJson(reply, await plain.answer(call, caller))
        return undefined
      }
      const headers = new Headers({ 'content-type': 'application/json' })
      for (const name of HEADERS) {
        const value = request.headers[name]
        if (typeof value === 'string') headers.set(name, value)
      }
      // A client that goes away has cancelled what it asked for.
      const exchange = new Request('http://localhost/mcp', {
        method: 'POST',
        headers,
        signal: caller.disconnected?.() ?? null
      })
      callers.set(exchange, caller)
      // Without a stream nobody can be told of progress.
      if (!acceptsEvents(request)) caller.progress = () => {}
      if ((request.body as Message | null)?.method !== LISTEN)
        return handler.fetch(exchange, { parsedBody: request.body })
      try {
        return await listen(exchange, request.body, reply, caller)
      } catch (thrown) {
        const error = await refuse(thrown, LISTEN, null, caller, app.kernel)
        const { code, message, data } = refusal(error, caller.request_id)
        return Response.json({ jsonrpc: '2.0', id: (request.body as Message).id, error: { code, message, data } })
      }
    },
    async close() {
      await handler.close()
      await plain.close()
    }
  }
}

function methodOf(request: Request): string {
  return request.headers.get('mcp-method') ?? ''
}

type Context = Parameters<NonNullable<Server['fallbackRequestHandler']>>[1]

/**
 * An SDK server for one request, or for one stdio connection. Without a handler for `only`, the SDK refuses that method
 * itself.
 */
export function createServer(
  methods: Methods,
  { name, version }: Pick<About, 'name' | 'version'>,
  callerOf: (context: Context, server: Server) => Caller,
  only?: string
): Server {
  const server = new Server({ name, version }, { capabilities, instructions, jsonSchemaValidator: noValidator })
  if (only === undefined || methods.has(only)) {
    server.fallbackRequestHandler = (request, context) =>
      methods.answer(request.method, request.params, during(context, request, callerOf(context, server)))
  }
  return server
}

/** The caller while a request is worked on: it can cancel it, and can be told how it is getting on. */
function during({ mcpReq }: Context, { method, params }: { method: string; params?: unknown }, caller: Caller): Caller {
  const token = progressTokenOf({ method, params: { ...(params as object), _meta: mcpReq._meta } })
  return {
    ...caller,
    disconnected: () => anySignal(caller.disconnected?.(), mcpReq.signal),
    ...(token !== undefined &&
      caller.progress === undefined && {
        progress(elapsed: number, total: number) {
          const { method, params } = progressOf(token, elapsed, total)
          void mcpReq.notify({ method, params }).catch(() => {})
        }
      })
  }
}

/** clientInfo.name, as a 2026-07-28 request states it. */
export function clientNameOf(message: unknown): string | undefined {
  const meta = (message as { params?: { _meta?: Record<string, unknown> } } | null)?.params?._meta
  const info = meta?.[CLIENT_INFO_META_KEY] as { name?: unknown } | undefined
  return typeof info?.name === 'string' ? info.name : undefined
}
