import type { FastifyInstance } from 'fastify'
import { callTool, type Kernel, toolNotFound } from '../kernel/call.js'
import { AppError } from '../kernel/errors.js'
import { takesIdempotencyKey } from '../kernel/tool.js'
import { callerOf, header } from './caller.js'
import { sendFailure } from './failures.js'
import { admitToTool } from './sender.js'

/** The REST front: POST /mcp/tool/<name>, one route per tool of the catalogue. */
export function registerRest(app: FastifyInstance, kernel: Kernel): void {
  for (const tool of kernel.catalogue.tools) {
    const url = `/mcp/tool/${tool.name}`
    app.post(url, { onRequest: admitToTool(tool, kernel) }, async (request, reply) => {
      const outcome = await callTool(
        tool.name,
        withIdempotencyKey(request.body, header(request, 'idempotency-key'), takesIdempotencyKey(tool)),
        request.sender?.caller ?? callerOf(request, 'rest'),
        kernel
      )
      if (!outcome.ok) return sendFailure(reply, outcome.error)
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(outcome.body))
    })
    app.route({
      method: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'],
      url,
      handler: async (_request, reply) =>
        sendFailure(reply.header('allow', 'POST'), new AppError('METHOD_NOT_ALLOWED', 'Tools are called with POST.'))
    })
  }
  app.all('/mcp/tool/*', async (_request, reply) => sendFailure(reply, toolNotFound()))
}

/** The Idempotency-Key header is the argument of the same name, where the body does not have one. */
function withIdempotencyKey(body: unknown, key: string | undefined, takesOne: boolean): unknown {
  const input = body ?? {}
  if (!takesOne || key === undefined || typeof input !== 'object' || Array.isArray(input)) return input
  const own_key = (input as { idempotency_key?: unknown }).idempotency_key ?? undefined
  return own_key !== undefined ? input : { ...input, idempotency_key: key }
}
