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

/**
 * Closes a response with its connection, even if it waits behind another one. Node closes only the response that it is
 * writing. The others were held for ever: their streams, their waits, and their places among the requests in flight.
 */
export function closeWithConnection({ socket }: IncomingMessage, response: ServerResponse): void {
  const removeListener = onDisconnect(socket, () => {
    if (response.socket !== null) return
    response.destroy()
    response.emit('close')
  })
  response.once('close', removeListener)
}
