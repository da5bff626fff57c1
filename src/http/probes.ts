import type { FastifyRequest } from 'fastify'

/** How these addresses begin: nearly all requests are told apart by that. */
const BEGINNINGS = /^\/(?:health|metrics)/

/**
 * Addresses that machines ask, by pod address or container name, also when the service is busy: no host check, no load
 * limit.
 */
const PROBES = /^\/(health(\/|$)|metrics\/?$)/

export function isProbe(request: FastifyRequest): boolean {
  return BEGINNINGS.test(request.url) && PROBES.test(request.url.split('?', 1)[0] ?? '')
}
