import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Lingering } from './lingering.js'

/** Most bytes that the parser gets at a time, if any number of chunks of a body may be in them. */
const PIECE_MAX_BYTES = 4096
const END_OF_HEAD = '\r\n\r\n'
/** Requests of one connection that are worked on at a time; later ones wait. */
const UNANSWERED_MAX = 8

/** What this file uses of Node beyond its documentation. test/http/intake.test.ts fails if Node changes it. */
interface Internals {
  /** Set while Node has more answers to write than the client reads. */
  _paused?: boolean
  /** The answer that is written next. */
  _httpMessage?: ServerResponse | null
  _handle?: unknown
  parser?: { _consumed: boolean; consume: (handle: unknown) => void } | null
}

/**
 * What comes in on a connection, on its way to Node's parser.
 *
 * The parser handles all that it gets in one go. 64 KiB can hold 2400 requests, or 10 000 chunks of a body: 70 such
 * connections stopped the event loop for seconds. So the parser gets one head at a time, and nothing while too many
 * requests of the connection wait for their answers. That takes 10 µs of CPU for a request. Once the caller has shown
 * good credentials, the parser reads the connection itself, as Node has it.
 */
class Intake {
  /** The last request whose head has come, and its answer. */
  request: IncomingMessage | undefined
  response: ServerResponse | undefined
  /** Nothing that comes is executed any more: the connection ends after the answers that are under way. */
  isRefusing = false
  private isClosing = false
  private isTrusted = false
  private isHeld = false
  private unanswered = 0
  /** What has come and the parser has not got. */
  private readonly rest: Buffer[] = []
  /** The end of what the parser got last. */
  private tail: Buffer = Buffer.alloc(0)
  /** Bytes of the body of `request` that the parser has not got; 0 where it comes in chunks. */
  private body_left = 0
  private readonly socket: Socket & Internals
  private readonly toParser: (bytes: Buffer) => void
  private readonly flow: { pause: Listener[]; resume: Listener[] }
  private readonly onData = (bytes: Buffer) => {
    this.take(bytes)
  }

  /** @param socket of a connection that Node has just opened, before it has read anything */
  constructor(
    socket: Socket,
    private readonly lingering: Lingering
  ) {
    this.socket = socket
    const [parse] = socket.listeners('data') as Array<(bytes: Buffer) => void>
    if (parse === undefined) throw new Error("Node's HTTP server does not listen to its connections.")
    this.toParser = parse
    this.flow = { pause: socket.listeners('pause') as Listener[], resume: socket.listeners('resume') as Listener[] }
    socket.removeListener('data', parse)
    // Node's parser lets go of a socket to which somebody begins to listen.
    socket.on('data', this.onData)
    socket.on('resume', () => {
      this.goOn()
    })
    const destroySoon = socket.destroySoon.bind(socket)
    // Node calls this after an answer that is the last one of its connection.
    socket.destroySoon = () => {
      if (this.isClosing) return
      if (this.isRefusing || this.rest.length > 0 || this.request?.complete === false) this.close()
      else destroySoon()
    }
  }

  /** Whether a request waits for its answer. */
  get isBusy(): boolean {
    return Boolean(this.socket._httpMessage)
  }

  /** The parser has read the head of a request. */
  began(request: IncomingMessage, response: ServerResponse): void {
    this.request = request
    this.response = response
    if (this.isTrusted) return
    this.body_left = Number(request.headers['content-length'] ?? 0)
    this.unanswered++
    response.once('close', () => {
      this.unanswered--
      if (this.isHeld)
        setImmediate(() => {
          this.goOn()
        })
    })
  }

  /** Spares the connection what is needed with unknown callers only. */
  trust(): void {
    if (this.isTrusted) return
    this.isTrusted = true
    this.goOn()
  }

  /**
   * Executes nothing that comes from now on. The connection ends after the answers that are under way.
   * @param last what the client is told then
   */
  refuse(last = ''): void {
    this.stopParsing()
    if (this.isBusy) this.response?.once('close', () => this.close(last))
    else this.close(last)
  }

  /** Gives the parser nothing more. An answer, or `refuse`, ends the connection. */
  stopParsing(): void {
    if (this.isRefusing) return
    this.isRefusing = true
    this.rest.length = 0
    this.socket.removeListener('data', this.onData)
    this.socket.on('data', this.onData)
    this.socket.pause()
  }

  /**
   * Ends the connection. The client may still be sending. If the server closed at once, the client's system would throw
   * the answer away together with the connection.
   */
  private close(last = ''): void {
    this.stopParsing()
    if (this.isClosing || this.socket.destroyed) return
    this.isClosing = true
    this.socket.end(last)
    this.lingering.add(this.socket)
  }

  private take(bytes: Buffer): void {
    if (this.isClosing) this.lingering.discard(this.socket, bytes.length)
    else if (!this.isRefusing) {
      this.rest.push(bytes)
      this.goOn()
    }
  }

  private goOn(): void {
    // Node has taken the parser away. An error in here would end the process.
    if (this.socket.destroyed) return
    while (this.rest.length > 0) {
      if (this.mustWait()) {
        this.isHeld = true
        this.socket.pause()
        return
      }
      this.toParser(this.nextPiece())
    }
    if (this.isRefusing) return
    if (this.isHeld) {
      this.isHeld = false
      this.socket.resume()
    }
    if (this.isTrusted) this.giveToParser()
  }

  private mustWait(): boolean {
    return this.socket._paused === true || (this.unanswered >= UNANSWERED_MAX && this.request?.complete !== false)
  }

  private nextPiece(): Buffer {
    const bytes = this.rest.shift() as Buffer
    const size = this.body_left > 0 ? this.body_left : this.sizeOfHead(bytes)
    const piece = bytes.subarray(0, size)
    if (size < bytes.length) this.rest.unshift(bytes.subarray(size))
    if (this.body_left > 0) this.body_left -= piece.length
    this.tail = piece.subarray(-END_OF_HEAD.length + 1)
    return piece
  }

  /** Bytes up to the end of a head, which may have begun in the last piece. */
  private sizeOfHead(bytes: Buffer): number {
    const { tail } = this
    const seam = Buffer.concat([tail, bytes.subarray(0, END_OF_HEAD.length - 1)]).indexOf(END_OF_HEAD)
    if (seam !== -1) return seam + END_OF_HEAD.length - tail.length
    const end = bytes.subarray(0, PIECE_MAX_BYTES).indexOf(END_OF_HEAD)
    return end === -1 ? PIECE_MAX_BYTES : end + END_OF_HEAD.length
  }

  private giveToParser(): void {
    const { socket } = this
    const { parser, _handle: handle } = socket
    // What Node has read already would be lost.
    if (!parser || parser._consumed || !handle || socket.isPaused() || socket.readableLength > 0) return
    for (const listener of this.flow.pause) socket.on('pause', listener)
    for (const listener of this.flow.resume) socket.on('resume', listener)
    parser._consumed = true
    parser.consume(handle)
  }
}

type Listener = () => void

const intakes = new WeakMap<Socket, Intake>()

export function openIntake(socket: Socket, lingering: Lingering): void {
  intakes.set(socket, new Intake(socket, lingering))
}

/** Undefined for a request that came over no socket, as in tests. */
export function intakeOf(socket: Socket): Intake | undefined {
  return intakes.get(socket)
}
