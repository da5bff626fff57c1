import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Kernel } from '../kernel/call.js'
import type { RateLimitStatus } from '../limits/rate-limits.js'
import { isProbe } from './probes.js'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The latest status of each of the caller's rate limits; null for a request that is not counted, such as a probe.
     */
    rateLimitStatus: RateLimitStatus[] | null
  }
}

/**
 * Counts requests by address before any other check. Responses report the caller's limits in the headers of
 * draft-ietf-httpapi-ratelimit-headers: RateLimit-Policy has the limits, RateLimit what remains of them.
 */
export function registerRateLimits(app: FastifyInstance, kernel: Kernel): void {
  app.decorateRequest('rateLimitStatus', null)
  app.addHook('onRequest', (request, _reply, next) => {
    if (isProbe(request)) {
      next()
      return
    }
    request.rateLimitStatus = []
    try {
      const pending = kernel.service.limits.request(request.ip, collectStatus(request.rateLimitStatus))
      if (pending === undefined) next()
      else
        pending.then(() => {
          next()
        }, next)
    } catch (error) {
      next(error as Error)
    }
  })
  app.addHook('onSend', (request, reply, payload, next) => {
    if (request.rateLimitStatus !== null && request.rateLimitStatus.length > 0)
      setHeaders(reply, request.rateLimitStatus)
    next(null, payload)
  })
}

/** Collects the latest status of each limit: a batch of MCP messages reports each limit several times. */
export function collectStatus(statuses: RateLimitStatus[]): (latest: RateLimitStatus) => void {
  return latest => {
    const index = statuses.findIndex(({ of }) => of === latest.of)
    if (index === -1) statuses.push(latest)
    else statuses[index] = latest
  }
}

function setHeaders(reply: FastifyReply, statuses: RateLimitStatus[]): void {
  let policy = ''
  let remaining_text = ''
  for (const { of, limit, remaining, reset_s } of statuses) {
    policy += `${policy === '' ? '' : ', '}"${of}";q=${limit};w=60`
    remaining_text += `${remaining_text === '' ? '' : ', '}"${of}";r=${remaining};t=${reset_s}`
  }
  void reply.header('ratelimit-policy', policy)
  void reply.header('ratelimit', remaining_text)
}
