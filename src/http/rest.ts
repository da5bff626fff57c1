import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ToolCall, toolNotFound } from '../kernel/call.js'
import { stringify } from '../kernel/json-text.js'
import type { RegisteredTool } from '../kernel/kernel.js'
import { takesIdempotencyKey } from '../kernel/tool.js'
import { callerOf, header } from './caller.js'
import { sendFailure } from './failures.js'
import { METHODS, refuseAddress } from './methods.js'
import { answerSchema } from './openapi.js'
import { admitToTool } from './sender.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The call that a tool's REST route makes; null on other routes. */
    call: ToolCall | null
  }
}

/** The REST front: POST /mcp/tool/<name>, one typed route per tool. */
export function registerRest(app: FastifyInstance): void {
  app.decorateRequest('call', null)
  for (const tool of app.kernel.tools) addRoute(app, app.kernel.find(tool.name) as RegisteredTool)
  // A request that is refused whatever its body: nobody can make it read one.
  const refuse = async (request: FastifyRequest, reply: FastifyReply) => refuseAddress(request, reply, toolNotFound())
  app.route({ method: METHODS, url: '/mcp/tool/*', config: { refuses: true }, onRequest: refuse, handler: refuse })
}

/** Credentials → body → permission → arguments → handler, each in the phase that Fastify has for it. */
function addRoute(app: FastifyInstance, registered: RegisteredTool): void {
  const { tool, accept } = registered
  const url = `/mcp/tool/${tool.name}`
  app.route({
    method: 'POST',
    url,
    schema: { body: tool.input, response: { 200: answerSchema(tool) } },
    onRequest: admitToTool(tool, app),
    async preValidation(request, reply) {
      request.body = withIdempotencyKey(request, takesIdempotencyKey(tool))
      request.call = new ToolCall(registered, request.sender?.caller ?? callerOf(request, 'rest'), app.kernel)
      const refused = await request.call.authorize(request.body)
      return refused?.ok === false ? sendFailure(reply, refused.error) : undefined
    },
    // The kernel's check: what it throws is the answer of the call.
    validatorCompiler: () => (body: unknown) => {
      try {
        return { value: accept(body) }
      } catch (error) {
        return { error: error as Error }
      }
    },
    attachValidation: true,
    // The kernel's answers are checked against their schemas by tests, not at each call.
    serializerCompiler: () => stringify,
    async handler(request, reply) {
      const { body, call, validationError } = request
      const outcome = await (call as ToolCall).run(body, () => {
        if (validationError !== undefined) throw validationError
        return body as Record<string, unknown>
      })
      return outcome.ok ? outcome.body : sendFailure(reply, outcome.error)
    }
  })
}

/** The body. The Idempotency-Key header is the argument of the same name if the body does not have one. */
function withIdempotencyKey(request: FastifyRequest, takesOne: boolean): unknown {
  const given = request.body ?? {}
  const key = header(request, 'idempotency-key')
  if (!takesOne || key === undefined || typeof given !== 'object' || Array.isArray(given)) return given
  const own = (given as { idempotency_key?: unknown }).idempotency_key ?? undefined
  return own !== undefined ? given : { ...given, idempotency_key: key }
}
