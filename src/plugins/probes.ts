import type { FastifyRequest } from 'fastify'

/** Addresses that machines ask, by pod address or container name, also when the service is busy: no host check, no load limit. */
const PROBES = /^\/(health(\/|$)|metrics\/?$)/

export function isProbe (request: FastifyRequest): boolean {
  return PROBES.test(request.url.split('?', 1)[0] ?? '')
}
