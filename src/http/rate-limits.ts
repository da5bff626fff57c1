import type { FastifyInstance, FastifyReply } from 'fastify'
import type { RateLimitStatus } from '../kernel/rate-limit-status.js'
import { isProbe } from './probes.js'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * How the caller stands with its rate limits, the latest of each; null for a request that is not counted, such as a
     * probe.
     */
    rateLimitStatus: RateLimitStatus[] | null
  }
}

/**
 * Counts each request by its address. Answers carry the caller's status in the
 * fields of draft-ietf-httpapi-ratelimit-headers: RateLimit-Policy is the limit, RateLimit what is left of it.
 */
export function registerRateLimits(app: FastifyInstance): void {
  app.decorateRequest('rateLimitStatus', null)
  app.addHook('onRequest', (request, _reply, next) => {
    if (isProbe(request)) {
      next()
      return
    }
    request.rateLimitStatus = []
    try {
      const waiting = app.limits.request(request.ip, collectStatus(request.rateLimitStatus))
      if (waiting === undefined) next()
      else
        waiting.then(() => {
          next()
        }, next)
    } catch (error) {
      next(error as Error)
    }
  })
  app.addHook('onSend', (request, reply, payload, next) => {
    if (request.rateLimitStatus !== null && request.rateLimitStatus.length > 0) tell(reply, request.rateLimitStatus)
    next(null, payload)
  })
}

/** A batch of MCP messages has several calls of one agent. */
export function collectStatus(standing: RateLimitStatus[]): (latest: RateLimitStatus) => void {
  return latest => {
    const place = standing.findIndex(({ of }) => of === latest.of)
    if (place === -1) standing.push(latest)
    else standing[place] = latest
  }
}

function tell(reply: FastifyReply, standing: RateLimitStatus[]): void {
  let policy = ''
  let left = ''
  for (const { of, limit, remaining, reset_s } of standing) {
    policy += `${policy === '' ? '' : ', '}"${of}";q=${limit};w=60`
    left += `${left === '' ? '' : ', '}"${of}";r=${remaining};t=${reset_s}`
  }
  void reply.header('ratelimit-policy', policy)
  void reply.header('ratelimit', left)
}
