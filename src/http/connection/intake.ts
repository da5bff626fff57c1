import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Internals, parserOf } from './node-internals.js'
import type { SharedByIntakes } from './shared.js'

/** Most bytes that the parser gets at a time, if any number of chunks of a body may be in them. */
const PIECE_MAX_BYTES = 4096
const END_OF_HEAD = '\r\n\r\n'
/** Requests of one connection that are worked on at a time; later ones wait. */
const UNANSWERED_MAX = 8
/** Bytes that wait in this process, of all connections; a connection whose bytes are more is closed. */
const WAITING_MAX_BYTES = 32 * 1024 * 1024

/**
 * What comes in on a connection, on its way to Node's parser.
 *
 * The parser handles all that it gets in one go. 64 KiB can hold 2400 requests, or 10 000 chunks of a body: 70 such
 * connections stopped the event loop for seconds. So the parser gets one head at a time. A request that comes before
 * the last one of its connection is answered waits for a turn, and all connections together have few of these. That
 * takes 10 µs of CPU for a request. Once the caller has shown good credentials, the parser reads the connection
 * itself, as Node has it, until the caller sends requests without waiting for answers.
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
  private isScheduled = false
  /** Whether the client has ever sent a request without waiting for the answer to the last one. */
  private hasPipelined = false
  /** Whether the parser may get one more head. */
  private hasTurn = false
  private unanswered = 0
  private waiting_bytes = 0
  /** What has come and the parser has not got. */
  private readonly rest: Buffer[] = []
  /** The end of what the parser got last. */
  private tail: Buffer = Buffer.alloc(0)
  /** Bytes of the body of `request` that the parser has not got; 0 where it comes in chunks. */
  private body_left = 0
  private readonly socket: Socket & Internals
  private readonly toParser: (bytes: Buffer) => void
  private readonly giveToParser: () => void
  private readonly onData = (bytes: Buffer) => {
    this.take(bytes)
  }

  /** @param socket of a connection that Node has just opened, before it has read anything */
  constructor(
    socket: Socket,
    private readonly shared: SharedByIntakes
  ) {
    this.socket = socket
    const [parse] = socket.listeners('data') as Array<(bytes: Buffer) => void>
    if (parse === undefined) throw new Error("Node's HTTP server does not listen to its connections.")
    this.toParser = parse
    this.giveToParser = parserOf(socket)
    socket.removeListener('data', parse)
    socket.on('data', this.onData)
    socket.on('resume', () => {
      this.goOn()
    })
    socket.once('close', () => {
      this.drop()
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

  /** Whether so many requests have come at once that the last one must wait for a turn. */
  get isCrowded(): boolean {
    return this.unanswered > UNANSWERED_MAX
  }

  /** The parser has read the head of a request. */
  began(request: IncomingMessage, response: ServerResponse): void {
    const isPipelined = this.response?.writableFinished === false
    this.request = request
    this.response = response
    if (this.isTrusted && !isPipelined) return
    if (this.isTrusted) this.takeFromParser()
    this.isTrusted = false
    this.hasPipelined ||= isPipelined
    this.hasTurn = false
    this.body_left = Number(request.headers['content-length'] ?? 0)
    this.unanswered++
    response.once('close', () => {
      this.unanswered--
      // Not at once: the event loop would stand still until all requests that wait are answered.
      if (this.isHeld) this.hold()
    })
  }

  /** Spares the connection what is needed with unknown callers only. */
  trust(): void {
    if (this.isTrusted || this.hasPipelined) return
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
    this.drop()
    this.takeFromParser()
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
    this.shared.lingering.add(this.socket)
  }

  private take(bytes: Buffer): void {
    if (this.isClosing) this.shared.lingering.discard(this.socket, bytes.length)
    else if (!this.isRefusing) {
      this.rest.push(bytes)
      this.goOn()
    }
  }

  private goOn(): void {
    while (this.rest.length > 0) {
      // Node takes the parser away when the connection breaks, also in the middle of this. An error in here would end
      // the process.
      if (this.socket.destroyed || !this.socket.parser) {
        this.drop()
        return
      }
      if (this.mustWait()) {
        this.hold()
        return
      }
      this.toParser(this.nextPiece())
    }
    if (this.isRefusing) return
    if (this.isHeld) {
      this.isHeld = false
      this.count(0)
      this.socket.resume()
    }
    if (this.isTrusted) this.giveToParser()
  }

  private mustWait(): boolean {
    if (this.socket._paused === true) return true
    const isAtHead = this.request?.complete !== false
    return isAtHead && !this.hasTurn && (this.isHeld || this.unanswered > 0)
  }

  /** Waits for an answer, and then for a turn. */
  private hold(): void {
    this.isHeld = true
    this.hasPipelined = true
    this.socket.pause()
    if (!this.count(this.rest.reduce((sum, { length }) => sum + length, 0))) {
      this.refuse(this.shared.crowded())
      return
    }
    if (this.isScheduled || this.unanswered >= UNANSWERED_MAX || this.socket._paused === true) return
    this.isScheduled = true
    this.shared.schedule(false, () => {
      this.isScheduled = false
      this.hasTurn = true
      this.goOn()
    })
  }

  /** Counts the bytes that wait. @returns false if those of all connections are too many */
  private count(bytes: number): boolean {
    this.shared.waiting_bytes += bytes - this.waiting_bytes
    this.waiting_bytes = bytes
    return this.shared.waiting_bytes <= WAITING_MAX_BYTES
  }

  private drop(): void {
    this.rest.length = 0
    this.count(0)
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

  /** Node's parser lets go of a socket to which somebody begins to listen. */
  private takeFromParser(): void {
    this.socket.removeListener('data', this.onData)
    this.socket.on('data', this.onData)
  }
}

const intakes = new WeakMap<Socket, Intake>()

export function openIntake(socket: Socket, shared: SharedByIntakes): void {
  intakes.set(socket, new Intake(socket, shared))
}

/** Undefined for a request that came over no socket, as in tests. */
export function intakeOf(socket: Socket): Intake | undefined {
  return intakes.get(socket)
}
