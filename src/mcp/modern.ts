import { CLIENT_INFO_META_KEY, createMcpHandler, Server } from '@modelcontextprotocol/server'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../core/caller.js'
import type { Kernel } from '../core/call.js'
import { capabilities, instructions, type Methods } from './methods.js'
import { noValidator } from './validator.js'

/** 2026-07-28 clients: no connection, every request says who and what the client is. */
export interface Modern {
  answer: (request: FastifyRequest, caller: Caller) => Promise<Response>
  close: () => Promise<void>
}

const HEADERS = ['mcp-protocol-version', 'mcp-method', 'mcp-name']

export function serveModern (methods: Methods, { service, log, store }: Kernel): Modern {
  const callers = new WeakMap<Request, Caller>()
  const handler = createMcpHandler(({ requestInfo }) => {
    const caller = callers.get(requestInfo as Request) as Caller
    return createServer(methods, service, () => caller, methodOf(requestInfo as Request))
  }, {
    legacy: 'reject',
    onerror: error => { log.info({ err: store.loggable(error) }, 'mcp request refused') }
  })
  return {
    answer (request, caller) {
      const headers = new Headers({ 'content-type': 'application/json' })
      for (const name of HEADERS) {
        const value = request.headers[name]
        if (typeof value === 'string') headers.set(name, value)
      }
      const exchange = new Request('http://localhost/mcp', { method: 'POST', headers })
      callers.set(exchange, caller)
      return handler.fetch(exchange, { parsedBody: request.body })
    },
    close: () => handler.close()
  }
}

function methodOf (request: Request): string {
  return request.headers.get('mcp-method') ?? ''
}

type Context = Parameters<NonNullable<Server['fallbackRequestHandler']>>[1]

/** An SDK server for one request, or for one stdio connection. Without a handler for `only`, the SDK refuses that method itself. */
export function createServer (methods: Methods, { name, version }: Kernel['service'], callerOf: (context: Context, server: Server) => Caller, only?: string): Server {
  const server = new Server({ name, version }, { capabilities, instructions, jsonSchemaValidator: noValidator })
  if (only === undefined || methods.has(only)) {
    server.fallbackRequestHandler = ({ method, params }, context) => methods.answer(method, params, callerOf(context, server))
  }
  return server
}

/** clientInfo.name, as a 2026-07-28 request states it. */
export function clientNameOf (message: unknown): string | undefined {
  const meta = (message as { params?: { _meta?: Record<string, unknown> } } | null)?.params?._meta
  const info = meta?.[CLIENT_INFO_META_KEY] as { name?: unknown } | undefined
  return typeof info?.name === 'string' ? info.name : undefined
}
