import { createMcpHandler, InMemoryServerEventBus, type Server } from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import type { Caller } from '../../kernel/caller.js'
import { commentFrame } from '../../http/event-frames.js'
import { EventStream } from '../../http/event-stream.js'
import { SUBSCRIPTIONS_MAX, type ResourceVersion } from '../../agents/store/mcp-sessions.js'
import { LISTEN } from '../messages.js'
import { refOf } from '../resources.js'
import { carry } from '../answers.js'
import { createOutbox } from './outbox.js'
import type { Open, Streams } from './streams.js'
import { admitSubscriber, tooManySubscriptions, versionsOf } from './subscribable.js'
import type { Watches } from './watch.js'

/** A listen request, of whose filter only what the caller may read is left. */
interface Honoured {
  message: unknown
  /** Who listens, and from which version of each resource on; undefined if nothing that can change is left. */
  listener?: { viewer: Agent; versions: Map<string, ResourceVersion> }
}

/**
 * The request with a filter that names only what the caller may read, so that the acknowledgement is true.
 * @throws RpcFailure if resources are asked for and the caller may not read; AppError if they are too many
 */
export async function honour(message: unknown, caller: Caller, app: FastifyInstance): Promise<Honoured> {
  const { params } = message as { params?: { notifications?: { resourceSubscriptions?: unknown } } }
  const asked = params?.notifications?.resourceSubscriptions
  // The SDK refuses what is malformed.
  if (!Array.isArray(asked) || asked.length === 0 || !asked.every(uri => typeof uri === 'string')) return { message }
  if (asked.length > SUBSCRIPTIONS_MAX) throw tooManySubscriptions()
  const viewer = await admitSubscriber(LISTEN, caller, app)
  const uris = [...new Set(asked)]
  const versions = await versionsOf(viewer, uris, app)
  const readable = uris.filter(uri => versions.has(uri) || refOf(uri) === 'fixed')
  return {
    message: {
      ...(message as object),
      params: { ...params, notifications: { ...params?.notifications, resourceSubscriptions: readable } }
    },
    ...(versions.size > 0 && { listener: { viewer, versions } })
  }
}

/**
 * `subscriptions/listen` of 2026-07-28 clients over HTTP. The SDK writes what is sent, from a bus of its own for each
 * stream: what one subscriber may be told another may not.
 */
export function serveListen(
  { streams, watches }: { streams: Streams; watches: Watches },
  createServer: () => Server,
  app: FastifyInstance
) {
  const { log, kernel } = app

  /** @throws AppError or RpcFailure before anything is sent */
  return async function listen(
    exchange: Request,
    body: unknown,
    reply: FastifyReply,
    caller: Caller
  ): Promise<Response | undefined> {
    const { message, listener } = await honour(body, caller, app)
    const bus = new InMemoryServerEventBus()
    const handler = createMcpHandler(createServer, {
      legacy: 'reject',
      bus,
      keepAliveMs: 0,
      onerror: error => {
        log.info({ err: kernel.ports.loggableFault(error) }, 'mcp request refused')
      }
    })
    if (listener === undefined) return handler.fetch(exchange, { parsedBody: message })

    const { viewer, versions } = listener
    const leave = streams.take(viewer)
    const response = await handler.fetch(exchange, { parsedBody: message }).catch((error: unknown) => {
      leave()
      throw error
    })
    if (response.body === null || response.headers.get('content-type') !== 'text/event-stream' || reply.raw.destroyed) {
      leave()
      return response
    }
    caller.releaseSlot?.()
    const stream = new EventStream<'answered'>(reply, {
      onEnd() {
        watch.close()
        outbox.close()
        leave()
        streams.remove(open)
        void handler.close()
      }
    })
    const outbox = createOutbox(
      uri => {
        bus.publish({ kind: 'resource_updated', uri })
      },
      () => stream.ready()
    )
    const open: Open = {
      viewer: () => viewer,
      end(reason) {
        void stream.send(commentFrame(`ended: ${reason}`))
        // The SDK tells the client that the subscription has ended, and ends its stream, which ends the answer.
        void handler.close()
      }
    }
    const watch = watches(viewer, { updated: outbox.updated, ended: open.end })
    streams.add(open)
    void carry(response.body, stream)
    for (const [uri, version] of versions) watch.add(uri, version)
    if (app.stopping.aborted) open.end('stopping')
    return undefined
  }
}
