import { classifyInboundRequest } from '@modelcontextprotocol/server'
import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DEFAULT_TOOLSETS, TOOLSET_NAMES, type ToolsetName, toolsets } from '../config/toolset-names.js'
import { AppError } from '../kernel/errors.js'
import * as mcpSessions from '../agents/store/mcp-sessions.js'
import { callerOf, header } from '../http/caller.js'
import { sendFailure } from '../http/failures.js'
import { sendResponse } from './answers.js'
import { createSenders, refusedHeaders } from './credentials.js'
import { wrapFailure } from './failure.js'
import { serveLegacy } from './legacy.js'
import { clientNameOf, refuseTooManyValues } from './messages.js'
import { createMethods } from './methods.js'
import { serveModern } from './modern.js'
import { ALLOWED, serveNotifications, sessionSubscriptions } from './subscriptions/session-subscriptions.js'
import { createStreams } from './subscriptions/streams.js'
import { createWatches } from './subscriptions/watch.js'

const URL = '/mcp'

/** The MCP front: one address, at which the first look at a message tells its protocol era. */
export const mcpPlugin = fp(registerMcp, { name: 'mcp', dependencies: ['requests', 'feed', 'http'] })

async function registerMcp(app: FastifyInstance): Promise<void> {
  const lookUp = mcpSessions.lookUpTogether(app.database.db)
  const means = { streams: createStreams(app), watches: createWatches(app), lookUp }
  const senders = createSenders(app, lookUp)
  const legacy = await serveLegacy(createMethods(app, sessionSubscriptions(app)), means, senders, app)
  const notifications = serveNotifications(means, app)
  const modern = serveModern(createMethods(app), means, app)
  const config = { wrapFailure }

  app.post(URL, { config, onRequest: senders.judgeSender }, async (request, reply) => {
    const caller = request.sender?.caller ?? callerOf(request, 'mcp')
    caller.output_schemas = asksForOutputSchemas(request)
    caller.toolsets = askedToolsets(request)
    const tooMany = refuseTooManyValues(request)
    if (tooMany !== undefined) return sendFailure(reply, tooMany)
    const era = classifyInboundRequest({
      httpMethod: 'POST',
      body: request.body,
      protocolVersionHeader: header(request, 'mcp-protocol-version'),
      mcpMethodHeader: header(request, 'mcp-method')
    })
    if (era.kind === 'legacy') return legacy.answer(request, reply, caller)
    caller.credentials.client_name = clientNameOf(request.body)
    const refused = era.kind === 'modern' ? await refusedHeaders([era.message], caller, app) : undefined
    if (refused !== undefined) return sendFailure(reply, refused)
    const response = await modern.answer(request, era, reply, caller)
    return response === undefined ? reply : sendResponse(reply, response)
  })

  app.get(URL, { config, exposeHeadRoute: false }, async (request, reply) =>
    notifications(request, reply, callerOf(request, 'mcp'))
  )

  app.delete(URL, { config }, async (request, reply) => legacy.close(request, reply))

  const notAllowed = async (_request: FastifyRequest, reply: FastifyReply) =>
    sendFailure(
      reply.header('allow', ALLOWED),
      new AppError('METHOD_NOT_ALLOWED', 'MCP messages are sent with POST.', {
        suggestions: ['Send JSON-RPC messages with POST to /mcp', 'End an MCP session with DELETE']
      })
    )
  app.route({
    method: ['HEAD', 'PUT', 'PATCH'],
    url: URL,
    config: { ...config, refuses: true },
    onRequest: notAllowed,
    handler: notAllowed
  })

  app.addHook('preClose', async () => {
    means.streams.close()
  })
  // It breaks off the calls under way: only once they are answered.
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

/**
 * `/mcp?toolsets=core,leases`, or the header X-MCP-Toolsets; the address wins.
 * @throws AppError INVALID_INPUT
 */
function askedToolsets(request: FastifyRequest): ToolsetName[] | undefined {
  const { toolsets: asked = header(request, 'x-mcp-toolsets') } = request.query as { toolsets?: unknown }
  if (asked === undefined) return undefined
  try {
    if (typeof asked === 'string') return toolsets(asked)
  } catch {
    // Told below.
  }
  throw new AppError('INVALID_INPUT', 'The parameter toolsets of the address, or X-MCP-Toolsets, is wrong.', {
    context: { argument: 'toolsets', allowed: [...TOOLSET_NAMES] },
    suggestions: [
      `Use one or more of ${TOOLSET_NAMES.join(', ')}, separated by commas, such as /mcp?toolsets=core,tasks`,
      `Or use /mcp, which lists ${DEFAULT_TOOLSETS.join(', ')}`
    ]
  })
}
