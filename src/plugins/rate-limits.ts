import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Kernel } from '../core/call.js'
import type { Standing } from '../core/limits.js'
import { isProbe } from './probes.js'

/**
 * Requests are counted by the address they come from, before anything else of them is looked at; and answers say how their caller
 * stands, in the fields of draft-ietf-httpapi-ratelimit-headers: RateLimit-Policy what may be done, RateLimit what is left of it.
 */
const tellers = new WeakMap<FastifyRequest, (standing: Standing[]) => void>()

/** Undefined for a request that has not been counted, such as a probe. */
export function limitedOf (request: FastifyRequest): ((standing: Standing[]) => void) | undefined {
  return tellers.get(request)
}

export function registerRateLimits (app: FastifyInstance, kernel: Kernel): void {
  app.addHook('onRequest', async (request, reply) => {
    if (isProbe(request)) return
    const tell = teller(reply)
    tellers.set(request, tell)
    await kernel.service.limits.request(request.ip, tell)
  })
}

function teller (reply: FastifyReply): (standing: Standing[]) => void {
  // The latest of each: a batch of MCP messages has several calls of one agent.
  const latest = new Map<string, Standing>()
  return standing => {
    if (reply.sent || standing.length === 0) return
    for (const one of standing) latest.set(one.of, one)
    const all = [...latest.values()]
    void reply.header('ratelimit-policy', all.map(({ of, limit }) => `"${of}";q=${limit};w=60`).join(', '))
    void reply.header('ratelimit', all.map(({ of, remaining, reset_s }) => `"${of}";r=${remaining};t=${reset_s}`).join(', '))
  }
}
