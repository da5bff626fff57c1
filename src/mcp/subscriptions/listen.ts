import { createMcpHandler, InMemoryServerEventBus, type Server } from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyInstance } from 'fastify'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { commentFrame } from '../../http/event-frames.js'
import { EventStream } from '../../http/event-stream.js'
import { SUBSCRIPTIONS_MAX, type ResourceVersion } from '../../agents/store/mcp-sessions.js'
import { carry } from '../sdk-stream.js'
import { createOutbox } from './outbox.js'
import type { Open, Streams } from './streams.js'
import { versionOf, subscriberOf } from './subscribable.js'
import { tooMany } from './methods.js'
import type { Watches } from './watch.js'

/** A listen request, of whose filter only what the caller may read is left. */
export interface Honoured {
  message: unknown
  versions: Map<string, ResourceVersion>
}

/**
 * The request with a filter that names only what the caller may read, so that the acknowledgement is true.
 * @throws AppError where resources are asked for and nobody, or one who may not read, asks; or too many
 */
export async function honour(message: unknown, caller: Caller, app: FastifyInstance): Promise<Honoured> {
  const { params } = message as { params?: { notifications?: { resourceSubscriptions?: unknown } } }
  const asked = params?.notifications?.resourceSubscriptions
  const versions = new Map<string, ResourceVersion>()
  // What is malformed the SDK refuses.
  if (!Array.isArray(asked) || asked.length === 0 || !asked.every(uri => typeof uri === 'string'))
    return { message, versions }
  if (asked.length > SUBSCRIPTIONS_MAX) throw tooMany()
  const agent = await subscriberOf(caller, app)
  const readable: string[] = []
  for (const uri of new Set(asked)) {
    try {
      const version = await versionOf(uri, agent, app)
      readable.push(uri)
      if (version !== undefined) versions.set(uri, version)
    } catch (error) {
      if (!(error instanceof AppError) || error.status !== 404) throw error
    }
  }
  return {
    message: {
      ...(message as object),
      params: { ...params, notifications: { ...params?.notifications, resourceSubscriptions: readable } }
    },
    versions
  }
}

/**
 * `subscriptions/listen` of 2026-07-28 clients over HTTP. What is said on the wire is the SDK's, with a bus of its own
 * for each stream: what one subscriber may be told is not what another may.
 */
export function serveListen(
  { streams, watches }: { streams: Streams; watches: Watches },
  createServer: () => Server,
  app: FastifyInstance
) {
  const { log, kernel } = app

  /** @throws AppError before anything is sent */
  return async function listen(
    exchange: Request,
    body: unknown,
    reply: FastifyReply,
    caller: Caller
  ): Promise<Response | undefined> {
    const { message, versions } = await honour(body, caller, app)
    const bus = new InMemoryServerEventBus()
    const handler = createMcpHandler(createServer, {
      legacy: 'reject',
      bus,
      keepAliveMs: 0,
      onerror: error => {
        log.info({ err: kernel.ports.loggableFault(error) }, 'mcp request refused')
      }
    })
    if (versions.size === 0) return handler.fetch(exchange, { parsedBody: message })

    const viewer = await subscriberOf(caller, app)
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
