import { Readable } from 'node:stream'
import { classifyInboundRequest } from '@modelcontextprotocol/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Kernel } from '../kernel/call.js'
import { AppError } from '../kernel/errors.js'
import { mcpTopic } from '../kernel/events.js'
import * as mcpSessions from '../agents/store/mcp-sessions.js'
import { callerOf } from '../http/caller.js'
import { sendFailure } from '../http/failures.js'
import { refusedToken } from './credentials.js'
import { wrapFailure } from './failure.js'
import { batchSessionLookups } from './legacy/held-sessions.js'
import { serveLegacy } from './legacy/legacy.js'
import { createMethods } from './methods.js'
import { refuseTooManyValues } from './envelope.js'
import { clientNameOf, serveModern } from './modern/modern.js'
import { ALLOWED, serveNotifications } from './subscriptions/notifications.js'
import { mcpSessionNotFound, serveSessions, sessionIdOf } from './legacy/sessions.js'
import { createSenders } from './senders.js'
import { createStreams } from './subscriptions/streams.js'
import { subscriptionMethods } from './subscriptions/methods.js'
import { createWatches } from './subscriptions/watch.js'

const URL = '/mcp'

/** Registers MCP at one address. The first message determines the protocol era of a client. */
export async function registerMcp(app: FastifyInstance, kernel: Kernel): Promise<void> {
  const deps = {
    streams: createStreams(kernel),
    watches: createWatches(kernel),
    lookUp: batchSessionLookups(kernel.store.db)
  }
  const legacyServer = await serveLegacy(createMethods(kernel, subscriptionMethods(kernel)), kernel.service)
  const senders = createSenders(kernel)
  const legacy = serveSessions(legacyServer, deps.lookUp, senders.sessionOf, kernel)
  const notifications = serveNotifications(legacyServer.versions, deps, kernel)
  const modern = serveModern(createMethods(kernel), deps, kernel)
  const config = { wrapFailure }

  app.post(URL, { config, onRequest: senders.admit }, async (request, reply) => {
    const caller = request.sender?.caller ?? callerOf(request, 'mcp')
    caller.output_schemas = asksForOutputSchemas(request)
    const tooLarge = refuseTooManyValues(request.body, bytesOf(request))
    if (tooLarge !== undefined) return sendFailure(reply, tooLarge)
    const era = classifyInboundRequest({
      httpMethod: 'POST',
      body: request.body,
      protocolVersionHeader: header(request, 'mcp-protocol-version'),
      mcpMethodHeader: header(request, 'mcp-method')
    })
    if (era.kind === 'legacy') return legacy(request, reply, caller)
    caller.credentials.client_name = clientNameOf(request.body)
    const refused = era.kind === 'modern' ? await refusedToken([era.message], caller, kernel) : undefined
    if (refused !== undefined) return sendFailure(reply, refused)
    const response = await modern.answer(request, era, reply, caller)
    return response === undefined ? reply : sendResponse(reply, response)
  })

  app.get(URL, { config, exposeHeadRoute: false }, async (request, reply) =>
    notifications(request, reply, callerOf(request, 'mcp'))
  )

  app.delete(URL, { config }, async (request, reply) => {
    const id = sessionIdOf(request)
    if (id === undefined)
      return sendFailure(
        reply,
        new AppError('INVALID_INPUT', 'The Mcp-Session-Id header is missing.', {
          context: { argument: 'Mcp-Session-Id' },
          suggestions: ['Send the Mcp-Session-Id that initialize answered']
        })
      )
    if (!(await mcpSessions.close(kernel.store.db, id))) return sendFailure(reply, mcpSessionNotFound())
    // This ends the session's streams on every replica.
    kernel.service.events.publish([mcpTopic(mcpSessions.hashId(id))])
    return reply.code(200).send()
  })

  app.route({
    method: ['HEAD', 'PUT', 'PATCH'],
    url: URL,
    config,
    handler: async (_request, reply) =>
      sendFailure(
        reply.header('allow', ALLOWED),
        new AppError('METHOD_NOT_ALLOWED', 'MCP messages are sent with POST.', {
          suggestions: ['Send JSON-RPC messages with POST to /mcp', 'End an MCP session with DELETE']
        })
      )
  })

  app.addHook('preClose', async () => {
    deps.streams.close()
  })
  // Closing it aborts running calls, so close it only after they are answered.
  app.addHook('onClose', async () => {
    await modern.close()
  })
}

/**
 * `/mcp?output_schemas=true`: the address asks, since clients let their users set little else.
 * @throws AppError INVALID_INPUT
 */
function asksForOutputSchemas({ query }: FastifyRequest): boolean {
  const { output_schemas = 'false' } = query as { output_schemas?: unknown }
  if (output_schemas === 'true' || output_schemas === 'false') return output_schemas === 'true'
  throw new AppError('INVALID_INPUT', 'The parameter output_schemas of the address must be true or false.', {
    context: { argument: 'output_schemas', allowed: ['true', 'false'] },
    suggestions: ['Use the address /mcp?output_schemas=true', 'Or use /mcp, whose list of tools has no output schemas']
  })
}

/** Undefined for a body in chunks. */
function bytesOf({ headers }: FastifyRequest): number | undefined {
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

async function sendResponse(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  // The SDK lets event streams be kept, which the server's own header does not.
  const { 'cache-control': _, ...headers } = Object.fromEntries(response.headers)
  void reply.code(response.status).headers(headers)
  if (response.body === null) return reply.send()
  const streams = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  return reply.send(streams ? Readable.fromWeb(response.body as never) : await response.text())
}
