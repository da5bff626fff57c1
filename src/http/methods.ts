import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../kernel/errors.js'
import { sendFailure } from './failures.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The methods that an address takes, in a fixed order; none for an address where nothing is. */
    methodsAt: (address: string) => string[]
  }
  interface FastifyContextConfig {
    /** Set on a route that refuses every request. */
    refuses?: true
  }
}

/** Other methods are refused at any address. OPTIONS is answered everywhere (cors.ts). */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
/** What some address takes. */
const SOMEWHERE = ['GET', 'HEAD', 'POST', 'DELETE']

/** Call this before any route is added. */
export function registerMethods(app: FastifyInstance): void {
  const routes: Array<{ pattern: RegExp; methods: string[] }> = []
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.refuses === true) return
    const pattern = url.replace(/[.]/g, '\\$&').replace(/:\w+/g, '[^/]+').replace(/\*/g, '.*')
    routes.push({ pattern: new RegExp(`^${pattern}/?$`), methods: [method].flat() })
  })
  app.decorate('methodsAt', address => {
    const path = address.split('?', 1)[0] as string
    const taken = new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))
    return METHODS.filter(method => taken.has(method))
  })
}

/** Refuses a request to which no route fits: for its method, or because nothing is at its address. */
export function refuseAddress(request: FastifyRequest, reply: FastifyReply, notFound: AppError): FastifyReply {
  const { method, url, server } = request
  const here = server.methodsAt(url)
  // A route that takes the method may still find nothing.
  if (METHODS.includes(method) && (here.length === 0 || here.includes(method))) return sendFailure(reply, notFound)
  const [error, headers] = methodNotAllowed(server, url)
  return sendFailure(reply.headers(headers), error)
}

/** @returns the refusal of a method, and the headers to send with it */
export function methodNotAllowed(app: FastifyInstance, address: string): [AppError, { allow: string }] {
  const here = app.methodsAt(address)
  const allow = (here.length > 0 ? here : SOMEWHERE).join(', ')
  const error = new AppError('METHOD_NOT_ALLOWED', `The address does not take that method, only ${allow}.`, {
    ...(!address.startsWith('/mcp/tool/') && { suggestions: [`Send the request with ${allow}`] })
  })
  return [error, { allow }]
}
