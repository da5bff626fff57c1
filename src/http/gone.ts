import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const listeners = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls `callback` when the connection ends. A response that waits behind another one on its connection gets no event
 * of its own, and a listener for each request would exceed Node's limit.
 * @returns a function that removes the callback; further calls do nothing
 */
export function onDisconnect(socket: Socket, callback: () => void): () => void {
  let callbacks = listeners.get(socket)
  if (callbacks === undefined) {
    const created = (callbacks = new Set<() => void>())
    listeners.set(socket, created)
    socket.once('close', () => {
      for (const call of created) call()
      created.clear()
    })
  }
  callbacks.add(callback)
  return () => {
    listeners.get(socket)?.delete(callback)
  }
}

/** Calls `callback` when the response has ended or the client has disconnected; possibly twice. */
export function onFinish({ socket }: IncomingMessage, response: ServerResponse, callback: () => void): void {
  const removeListener = onDisconnect(socket, callback)
  response.once('close', () => {
    removeListener()
    callback()
  })
}
