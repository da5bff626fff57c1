import type { FastifyReply } from 'fastify'
import type { EndReason } from '../feed/live.js'
import { frame, HEARTBEAT } from './stream-frames.js'

/** Why a stream ends: what follows it, or the stream itself, says so. `gone`: the client has left. */
export type StreamEnd = EndReason | 'slow_reader' | 'gone'

/** Whether the same request, with the last id, is worth making again. */
const RESUME: Record<Exclude<StreamEnd, 'gone'>, boolean> = {
  token_revoked: false,
  token_expired: false,
  key_revoked: false,
  key_expired: false,
  session_gone: false,
  stopping: true,
  slow_reader: true
}

/**
 * Bytes that may wait for a client to read them. One change can be half of that; the system's own buffers come on top.
 */
const WAITING_MAX = 1024 * 1024
/** How long a client may leave what waits unread, however little that is. */
const UNREAD_MS = 60_000
/** How long the last bytes of a stream may take. */
const ENDING_MS = 5000
/** Clients come back after some time between these, so that those of a replica that stops do not come all at once. */
const RETRY_MS = { from: 500, to: 2000 }

export interface StreamOptions {
  /** What is sent as a heartbeat instead of a comment, if anything. */
  beat: () => string | undefined
  /** Once, with what ended it. */
  onEnd: (reason: StreamEnd) => void
}

/**
 * One answer that goes on: bounded in what it holds back for a client, and ended with a reason where the client still
 * reads.
 */
export class Stream {
  private ended = false
  private unread_since: number | undefined
  private drained: { promise: Promise<void>; resolve: () => void } | undefined
  private readonly raw: FastifyReply['raw']

  /**
   * Takes the answer out of Fastify's hands, with the headers that hooks have set, and says where the stream begins.
   */
  constructor(
    reply: FastifyReply,
    start: string,
    private readonly options: StreamOptions
  ) {
    const { raw } = reply
    this.raw = raw
    reply.hijack()
    raw.on('error', () => {})
    raw.on('drain', () => {
      this.flows()
    })
    raw.once('close', () => {
      this.over('gone')
    })
    if (raw.destroyed)
      queueMicrotask(() => {
        this.over('gone')
      })
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      // nginx would hold events back until its buffer is full.
      'x-accel-buffering': 'no'
    })
    raw.socket?.setNoDelay(true)
    const retry = Math.round(RETRY_MS.from + Math.random() * (RETRY_MS.to - RETRY_MS.from))
    void this.write(Buffer.from(`retry: ${retry}\n${start}`))
  }

  /** @returns what to wait for before more is written, where it can wait */
  write(frames: Buffer): void | Promise<void> {
    if (this.ended) return
    if (this.raw.write(frames)) return
    this.unread_since ??= performance.now()
    if (this.raw.writableLength > WAITING_MAX) return this.end('slow_reader')
    if (this.drained === undefined) {
      let resolve = () => {}
      const promise = new Promise<void>(done => {
        resolve = done
      })
      this.drained = { promise, resolve }
    }
    return this.drained.promise
  }

  /** Every now and then: shows clients and proxies that the stream is alive. */
  beat(): void {
    if (this.ended) return
    if (this.unread_since !== undefined) {
      if (performance.now() - this.unread_since > UNREAD_MS) this.end('slow_reader')
      return
    }
    const position = this.options.beat()
    void this.write(position === undefined ? HEARTBEAT : Buffer.from(position))
  }

  end(reason: Exclude<StreamEnd, 'gone'>): void {
    if (this.ended) return
    this.raw.end(frame('end', { reason, resume: RESUME[reason] }))
    // A client that does not read does not see the end either.
    const late = setTimeout(() => {
      this.raw.destroy()
    }, ENDING_MS).unref()
    this.raw.once('close', () => {
      clearTimeout(late)
    })
    this.over(reason)
  }

  private flows(): void {
    this.unread_since = undefined
    this.drained?.resolve()
    this.drained = undefined
  }

  private over(reason: StreamEnd): void {
    if (this.ended) return
    this.ended = true
    this.flows()
    this.options.onEnd(reason)
  }
}
