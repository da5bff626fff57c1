import {
  type InboundClassificationOutcome,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  Server
} from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js'
import type { FastifyRequest, FastifyInstance } from 'fastify'
import type { Caller } from '../../kernel/caller.js'
import { type Answer, Exchanges } from '../legacy/exchanges.js'
import { capabilities, instructions, type Methods } from '../methods.js'
import { noValidator } from '../validator.js'

/**
 * What 2026-07-28 clients ask again and again, a tool's call with nothing out of the ordinary, is answered by one SDK
 * server for the life of the app: building one for each request, with a transport, a Request and a Response, costs as
 * much as the call itself. (bench, mcp: 0.45 of REST's rate with a server for each, 0.68 with one.)
 */
export interface PlainCalls {
  answer: (call: JSONRPCRequest, caller: Caller) => Promise<Answer>
  close: () => Promise<void>
}

const REVISION = '2026-07-28'

/**
 * The call in a request, if every header is there and says what the body says, and nothing but an answer can come of
 * it. Whatever else a request may be is for the SDK's own handler, with all its rules.
 * @param era what the SDK finds it to be
 */
export function plainCallOf(
  { headers }: FastifyRequest,
  era: InboundClassificationOutcome
): JSONRPCRequest | undefined {
  if (era.kind !== 'modern' || era.messageKind !== 'request') return undefined
  const call = era.message
  const { name, _meta, ...more } = (call.params ?? {}) as { name?: unknown; _meta?: Record<string, unknown> }
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
    Object.keys(more).every(key => key === 'arguments')
  return plain ? call : undefined
}

export function servePlainCalls(
  methods: Methods,
  { about: { name, version }, log, kernel }: FastifyInstance
): PlainCalls {
  const exchanges = new Exchanges()
  // The SDK's way to serve many requests of this revision by one server: on a connection, which all clients share here.
  const connection = serveStdio(
    () => {
      const server = new Server({ name, version }, { capabilities, instructions, jsonSchemaValidator: noValidator })
      server.fallbackRequestHandler = ({ method, params }, { mcpReq }) =>
        methods.answer(method, params, exchanges.callerOf(mcpReq.id))
      return server
    },
    {
      transport: exchanges,
      legacy: 'reject',
      onerror: error => {
        log.info({ err: kernel.ports.loggableFault(error) }, 'mcp request refused')
      }
    }
  )
  return { answer: (call, caller) => exchanges.answer(call, caller), close: () => connection.close() }
}
