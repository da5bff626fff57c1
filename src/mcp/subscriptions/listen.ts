import { createMcpHandler, InMemoryServerEventBus, type Server } from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyInstance } from 'fastify'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { SUBSCRIPTIONS_MAX, type ResourceVersion } from '../../agents/store/mcp-sessions.js'
import { openEventStream } from '../event-stream.js'
import { createOutbox } from './outbox.js'
import type { Open, Streams } from './streams.js'
import { markOf, subscriberOf } from './subscribable.js'
import { tooMany } from './methods.js'
import type { Watches } from './watch.js'

/** What of a listen request's filter this server can honour: of the resources, those that the caller may read. */
export interface Honoured {
  message: unknown
  marks: Map<string, ResourceVersion>
}

/**
 * The request with a filter that names only what the caller may read, so that the acknowledgement is true.
 * @throws AppError where resources are asked for and nobody, or one who may not read, asks; or too many
 */
export async function honour(message: unknown, caller: Caller, app: FastifyInstance): Promise<Honoured> {
  const { params } = message as { params?: { notifications?: { resourceSubscriptions?: unknown } } }
  const asked = params?.notifications?.resourceSubscriptions
  const marks = new Map<string, ResourceVersion>()
  // What is malformed the SDK refuses.
  if (!Array.isArray(asked) || asked.length === 0 || !asked.every(uri => typeof uri === 'string'))
    return { message, marks }
  if (asked.length > SUBSCRIPTIONS_MAX) throw tooMany()
  const agent = await subscriberOf(caller, app)
  const readable: string[] = []
  for (const uri of new Set(asked)) {
    try {
      const mark = await markOf(uri, agent, app)
      readable.push(uri)
      if (mark !== undefined) marks.set(uri, mark)
    } catch (error) {
      if (!(error instanceof AppError) || error.status !== 404) throw error
    }
  }
  return {
    message: {
      ...(message as object),
      params: { ...params, notifications: { ...params?.notifications, resourceSubscriptions: readable } }
    },
    marks
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
    const { message, marks } = await honour(body, caller, app)
    const bus = new InMemoryServerEventBus()
    const handler = createMcpHandler(createServer, {
      legacy: 'reject',
      bus,
      keepAliveMs: 0,
      onerror: error => {
        log.info({ err: kernel.ports.loggableFault(error) }, 'mcp request refused')
      }
    })
    if (marks.size === 0) return handler.fetch(exchange, { parsedBody: message })

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
    const stream = openEventStream(reply)
    const outbox = createOutbox(
      uri => {
        bus.publish({ kind: 'resource_updated', uri })
      },
      () => stream.blocked
    )
    const open: Open = {
      stream,
      viewer: () => viewer,
      end(reason) {
        stream.write(`: ended: ${reason}\n\n`)
        // The SDK says the end of the subscription, and its stream's end is that of the answer.
        void handler.close()
      }
    }
    const watch = watches(viewer, { updated: outbox.updated, ended: open.end })
    stream.onDrain = outbox.resume
    stream.onClose = () => {
      watch.close()
      outbox.close()
      leave()
      streams.remove(open)
      void handler.close()
    }
    streams.add(open)
    void carry(response.body, stream)
    for (const [uri, mark] of marks) watch.add(uri, mark)
    if (app.stopping.aborted) open.end('stopping')
    return undefined
  }
}

/** What the SDK writes goes on at once: how much that can be is bounded by what it is given to say. */
async function carry(
  body: ReadableStream<Uint8Array>,
  stream: { write: (frame: string) => void; end: () => void }
): Promise<void> {
  const text = new TextDecoder()
  for await (const chunk of body) stream.write(text.decode(chunk, { stream: true }))
  stream.end()
}
