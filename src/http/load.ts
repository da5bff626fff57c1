import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../kernel/errors.js'
import { sendFailure } from './failures.js'
import { isProbe } from './probes.js'

/** Whether the service accepts requests, and how many are in flight. */
export interface Load {
  /** 'stopping': not ready but still serving; 'closing': refuses new requests. */
  phase: 'serving' | 'stopping' | 'closing'
  in_flight: number
}

/** What a call can use of its HTTP request. */
interface RequestHandle {
  disconnected: () => AbortSignal
  releaseSlot: () => () => void
}

const handles = new WeakMap<FastifyRequest, RequestHandle>()

/** Undefined for a probe, which is not counted. */
export function wireOf(request: FastifyRequest): RequestHandle | undefined {
  return handles.get(request)
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
    handles.set(request, {
      disconnected() {
        if (gone === undefined) {
          const controller = (gone = new AbortController())
          if (reply.raw.destroyed) controller.abort()
          else
            reply.raw.once('close', () => {
              if (!reply.raw.writableFinished) controller.abort()
            })
        }
        return gone.signal
      },
      releaseSlot() {
        const wasCounted = release(request.raw)
        return () => {
          if (!wasCounted || reply.raw.destroyed || counted.has(request.raw)) return
          load.in_flight++
          counted.add(request.raw)
        }
      }
    })
    next()
  })
  // Count a request once its body is complete, so that incomplete requests take no slots.
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
    // The client has already disconnected, so no event would end the count.
    if (raw.socket.destroyed) {
      next()
      return
    }
    load.in_flight++
    counted.add(raw)
    reply.raw.once('close', () => {
      release(raw)
    })
    next()
  })
  app.addHook('onResponse', (request, _reply, next) => {
    release(request.raw)
    next()
  })

  function release(request: object): boolean {
    const wasCounted = counted.delete(request)
    if (wasCounted) load.in_flight--
    return wasCounted
  }
}
