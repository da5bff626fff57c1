import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../kernel/errors.js'
import { sendFailure } from './failures.js'
import { whenOver } from './gone.js'
import { isProbe } from './probes.js'

/** Whether the service takes requests, and how many are in flight. */
export interface Load {
  /** 'stopping': says "not ready" but still serves; 'closing': refuses what is new. */
  phase: 'serving' | 'stopping' | 'closing'
  in_flight: number
}

/** What a call may ask of the request it came by. */
interface Wire {
  signal: () => AbortSignal
  releaseSlot: () => () => void
}

const wires = new WeakMap<FastifyRequest, Wire>()

/** Undefined for a probe, which is not counted. */
export function wireOf(request: FastifyRequest): Wire | undefined {
  return wires.get(request)
}

export function registerLoadLimit(app: FastifyInstance, load: Load, max_in_flight: number): void {
  app.stopping.addEventListener('abort', () => {
    if (load.phase === 'serving') load.phase = 'stopping'
  })
  const counted = new WeakSet<object>()
  app.addHook('onRequest', (request, reply, next) => {
    if (isProbe(request)) {
      next()
      return
    }
    if (load.phase === 'closing') {
      void sendFailure(
        reply.header('connection', 'close'),
        new AppError('SERVICE_UNAVAILABLE', 'The server is stopping.')
      )
      return
    }
    let gone: AbortController | undefined
    wires.set(request, {
      signal() {
        if (gone === undefined) {
          const controller = (gone = new AbortController())
          if (reply.raw.destroyed) controller.abort()
          else
            reply.raw.once('close', () => {
              controller.abort()
            })
        }
        return gone.signal
      },
      releaseSlot() {
        const resting = done(request.raw)
        return () => {
          if (!resting || reply.raw.destroyed || counted.has(request.raw)) return
          load.in_flight++
          counted.add(request.raw)
        }
      }
    })
    next()
  })
  // Counted once the body is there: requests that are sent by halves must not take the place of whole ones.
  app.addHook('preHandler', (request, reply, next) => {
    if (isProbe(request)) {
      next()
      return
    }
    if (load.in_flight >= max_in_flight) {
      void sendFailure(reply, new AppError('SERVICE_UNAVAILABLE', 'The server has too many requests in flight.'))
      return
    }
    const { raw } = request
    // Gone before it was counted: nothing would tell of its end.
    if (raw.socket.destroyed) {
      next()
      return
    }
    load.in_flight++
    counted.add(raw)
    whenOver(raw, reply.raw, () => {
      done(raw)
    })
    next()
  })
  app.addHook('onResponse', (request, _reply, next) => {
    done(request.raw)
    next()
  })

  function done(request: object): boolean {
    const was = counted.delete(request)
    if (was) load.in_flight--
    return was
  }
}
