import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What the server uses of Node beyond its documentation. test/http/intake.test.ts fails if Node changes it. */
export interface Internals {
  /** Set while Node has more answers to write than the client reads. */
  _paused?: boolean
  /** The answer that is written next. */
  _httpMessage?: ServerResponse | null
  _handle?: unknown
  parser?: { _consumed: boolean; consume: (handle: unknown) => void } | null
}

type Listener = () => void

/**
 * Call this before anybody listens to the data of a connection, which takes it away from Node's parser.
 * @returns gives the connection back to the parser, if Node holds no data that would be lost
 */
export function parserOf(socket: Socket & Internals): () => void {
  const flow = { pause: socket.listeners('pause') as Listener[], resume: socket.listeners('resume') as Listener[] }
  return () => {
    const { parser, _handle: handle } = socket
    if (!parser || parser._consumed || !handle || socket.isPaused() || socket.readableLength > 0) return
    for (const listener of flow.pause) socket.on('pause', listener)
    for (const listener of flow.resume) socket.on('resume', listener)
    parser._consumed = true
    parser.consume(handle)
  }
}
