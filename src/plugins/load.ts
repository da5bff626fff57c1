import type { FastifyInstance } from 'fastify'
import { AppError } from '../core/errors.js'
import { sendFailure } from './failures.js'

/** Whether the service takes requests, and how many are in flight. */
export interface Load {
  /** 'stopping': says "not ready" but still serves; 'closing': refuses what is new. */
  phase: 'serving' | 'stopping' | 'closing'
  in_flight: number
}

const UNCOUNTED = /^\/(health(\/|$)|metrics$)/

export function registerLoadLimit (app: FastifyInstance, load: Load, max_in_flight: number): void {
  const counted = new WeakSet<object>()
  app.addHook('onRequest', async (request, reply) => {
    if (UNCOUNTED.test(request.url.split('?', 1)[0] ?? '')) return
    if (load.phase === 'closing') {
      return sendFailure(reply.header('connection', 'close'), new AppError('SERVICE_UNAVAILABLE', 'The server is stopping.'))
    }
  })
  // Counted once the body is there: requests that are sent by halves must not take the place of whole ones.
  app.addHook('preHandler', async (request, reply) => {
    if (UNCOUNTED.test(request.url.split('?', 1)[0] ?? '')) return
    if (load.in_flight >= max_in_flight) {
      return sendFailure(reply, new AppError('SERVICE_UNAVAILABLE', 'The server has too many requests in flight.'))
    }
    load.in_flight++
    counted.add(request.raw)
    // 'close' comes also when the client has gone away before the answer.
    reply.raw.once('close', () => { done(request.raw) })
  })
  app.addHook('onResponse', async request => { done(request.raw) })

  function done (request: object): void {
    if (counted.delete(request)) load.in_flight--
  }
}
