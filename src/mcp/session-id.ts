import type { FastifyRequest } from 'fastify'

export const SESSION_HEADER = 'mcp-session-id'

/** The Mcp-Session-Id of a request; undefined if there is none. */
export function sessionIdOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  const id = request.headers[SESSION_HEADER]
  return typeof id === 'string' && id !== '' ? id : undefined
}
