import type { FastifyReply } from 'fastify'

/** How often a stream shows clients and proxies that it is alive. */
const HEARTBEAT_MS = 15_000
/** A comment, which clients skip. */
const HEARTBEAT = ': \n\n'
/** Bytes that wait for the client. With more than that unread, it gets nothing further. */
const WAITING_MAX = 1024 * 1024
/** How long a client may leave bytes unread, however few. */
const UNREAD_MS = 60_000
/** How long a client has for reading the end of a stream. */
const ENDING_MS = 5000

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // Otherwise nginx holds events back until its buffer is full.
  'x-accel-buffering': 'no',
  // Streams end when a replica stops; idle connections would keep it from closing.
  connection: 'close'
}

export interface EventStreamOptions<Reason extends string> {
  /** What is sent as a heartbeat; undefined: a comment. */
  heartbeat?: () => string | undefined
  /** What is sent last, by the reason. */
  last?: (reason: Reason | 'slow_reader') => string
  /** Called once, after which the client gets nothing. `gone`: the client has left. */
  onEnd?: (reason: Reason | 'slow_reader' | 'gone') => void
  heartbeat_ms?: number
  unread_ms?: number
}

/**
 * An answer of server-sent events. It shows that it is alive, tells its writer when to wait for the client, and ends
 * when the client does not read.
 */
export class EventStream<Reason extends string = never> {
  private over = false
  private unread_since: number | undefined
  private drained: { promise: Promise<void>; resolve: () => void } | undefined
  private readonly raw: FastifyReply['raw']
  private readonly heartbeat: NodeJS.Timeout

  /** Takes the answer out of Fastify's hands, with the headers that hooks have set. */
  constructor(
    reply: FastifyReply,
    private readonly options: EventStreamOptions<Reason> = {}
  ) {
    const { raw } = reply
    this.raw = raw
    reply.hijack()
    raw.on('error', () => {})
    raw.on('drain', () => {
      this.flows()
    })
    raw.once('close', () => {
      this.stop('gone')
    })
    // Only after the caller has got the stream.
    if (raw.destroyed)
      queueMicrotask(() => {
        this.stop('gone')
      })
    raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEADERS })
    raw.flushHeaders()
    raw.socket?.setNoDelay(true)
    this.heartbeat = setInterval(() => {
      this.beat()
    }, options.heartbeat_ms ?? HEARTBEAT_MS).unref()
  }

  /** Whether nothing more is sent. */
  get ended(): boolean {
    return this.over
  }

  /** What a writer that can wait waits for: that the client has read what was sent, or that the stream has ended. */
  ready(): void | Promise<void> {
    return this.drained?.promise
  }

  /** @returns `ready` */
  send(frames: string | Uint8Array): void | Promise<void> {
    if (this.over) return
    if (this.raw.writableLength > WAITING_MAX) {
      this.end('slow_reader')
      return
    }
    if (this.raw.write(frames)) return
    this.unread_since ??= performance.now()
    this.drained ??= newDrain()
    return this.drained.promise
  }

  /** Ends the stream, after what was sent and `last`. */
  end(reason: Reason | 'slow_reader'): void {
    if (this.over) return
    this.raw.end(this.options.last?.(reason))
    // A client that does not read does not see the end either.
    const late = setTimeout(() => {
      this.raw.destroy()
    }, ENDING_MS).unref()
    this.raw.once('close', () => {
      clearTimeout(late)
    })
    this.stop(reason)
  }

  private beat(): void {
    if (this.unread_since === undefined) void this.send(this.options.heartbeat?.() ?? HEARTBEAT)
    else if (performance.now() - this.unread_since > (this.options.unread_ms ?? UNREAD_MS)) this.end('slow_reader')
  }

  private flows(): void {
    this.unread_since = undefined
    this.drained?.resolve()
    this.drained = undefined
  }

  private stop(reason: Reason | 'slow_reader' | 'gone'): void {
    if (this.over) return
    this.over = true
    clearInterval(this.heartbeat)
    this.flows()
    this.options.onEnd?.(reason)
  }
}

function newDrain() {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}
