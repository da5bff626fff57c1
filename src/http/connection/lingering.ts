import type { Socket } from 'node:net'
import { createScheduler } from '../scheduler.js'

/** For how long a connection is read after its last answer, and how many bytes of it. */
const LINGER_MS = 1000
const LINGER_MAX_BYTES = 16 * 1024 * 1024
/** Connections that are read in this way at a time. For a further one, the oldest is closed. */
const LINGERING_MAX = 128
/** Connections that are read further in one turn of the event loop. */
const READS_PER_TURN = 2

/** Connections that have had their last answer, while what their clients still send is read and thrown away. */
export class Lingering {
  private readonly left = new Map<Socket, number>()
  private readonly schedule = createScheduler(READS_PER_TURN)

  /** Closes the connection once the client has closed its side, or has had the time to read the answer. */
  add(socket: Socket): void {
    this.left.set(socket, LINGER_MAX_BYTES)
    const timer = setTimeout(() => {
      socket.destroy()
    }, LINGER_MS).unref()
    socket.once('close', () => {
      clearTimeout(timer)
      this.left.delete(socket)
    })
    if (this.left.size > LINGERING_MAX) this.left.keys().next().value?.destroy()
    socket.resume()
  }

  /** Counts bytes that were thrown away. The next come when it is this connection's turn. */
  discard(socket: Socket, bytes: number): void {
    socket.pause()
    const left = (this.left.get(socket) ?? 0) - bytes
    this.left.set(socket, left)
    // Not closed yet, so that the client reads the answer before it learns that nobody reads its request.
    if (left > 0)
      this.schedule(false, () => {
        if (!socket.destroyed) socket.resume()
      })
  }

  close(): void {
    for (const socket of this.left.keys()) socket.destroy()
  }
}
