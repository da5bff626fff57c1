import type { FastifyReply } from 'fastify'

/** An answer that goes on: server-sent events, as both protocol eras use them. */
export interface EventStream {
  send: (message: unknown, id?: string) => void
  /** A frame that is made already. */
  write: (frame: string) => void
  /** Whether the client has not taken what was written to it; what can wait then waits. */
  readonly blocked: boolean
  /** Called when a blocked client has read on. */
  onDrain: () => void
  /** Called once, whoever has ended it. */
  onClose: () => void
  end: (last?: unknown) => void
  /** Without ceremony: for a client that does not read. */
  cut: () => void
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // nginx would hold events back until its buffer is full.
  'x-accel-buffering': 'no',
  // Streams end when a replica stops: their connections must not stay behind, idle.
  connection: 'close'
}

/** Takes the answer out of Fastify's hands, with the headers that hooks have set. */
export function openEventStream(reply: FastifyReply): EventStream {
  const { raw } = reply
  let closed = false
  reply.hijack()
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEADERS })
  raw.flushHeaders()
  raw.socket?.setNoDelay(true)
  raw.on('drain', () => {
    stream.onDrain()
  })
  raw.on('error', () => {})
  raw.once('close', () => {
    closed = true
    stream.onClose()
  })
  const stream: EventStream = {
    onDrain() {},
    onClose() {},
    get blocked() {
      return raw.writableNeedDrain
    },
    send(message, id) {
      stream.write(frameOf(message, id))
    },
    write(frame) {
      if (!closed && !raw.writableEnded) raw.write(frame)
    },
    end(last) {
      if (last !== undefined) stream.send(last)
      raw.end()
    },
    cut() {
      raw.destroy()
    }
  }
  return stream
}

function frameOf(message: unknown, id?: string): string {
  return `event: message\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`
}
