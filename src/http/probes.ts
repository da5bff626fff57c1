import type { FastifyRequest } from 'fastify'

/**
 * Addresses for health checks and metrics, without host check and load limit: monitoring calls them by pod address or
 * container name, also when the service is busy.
 */
const PROBES = /^\/(health(\/|\?|$)|metrics\/?(\?|$))/

export function isProbe({ url }: FastifyRequest): boolean {
  return PROBES.test(url)
}
