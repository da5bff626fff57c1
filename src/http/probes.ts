import type { FastifyRequest } from 'fastify'

/** A cheap first check, which rules out nearly all requests. */
const PREFIXES = /^\/(?:health|metrics)/

/**
 * Addresses for health checks and metrics, without host check and load limit: monitoring calls them by pod address or
 * container name, also when the service is busy.
 */
const PROBES = /^\/(health(\/|$)|metrics\/?$)/

export function isProbe(request: FastifyRequest): boolean {
  return PREFIXES.test(request.url) && PROBES.test(request.url.split('?', 1)[0] ?? '')
}
