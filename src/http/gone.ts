import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const waiting = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls `then` when the connection ends. A response that waits behind another one on its connection is never told
 * itself; and each request listening by itself would be more listeners than Node allows.
 * @returns what takes it back, harmless twice
 */
export function whenGone(socket: Socket, then: () => void): () => void {
  let all = waiting.get(socket)
  if (all === undefined) {
    const calls = (all = new Set<() => void>())
    waiting.set(socket, calls)
    socket.once('close', () => {
      for (const call of calls) call()
      calls.clear()
    })
  }
  all.add(then)
  return () => {
    waiting.get(socket)?.delete(then)
  }
}

/** Calls `then` once or twice: when the answer is over, or when the client has gone away before. */
export function whenOver({ socket }: IncomingMessage, response: ServerResponse, then: () => void): void {
  const forget = whenGone(socket, then)
  response.once('close', () => {
    forget()
    then()
  })
}
