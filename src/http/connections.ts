import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { networkOf } from '../kernel/address.js'

/**
 * Bounds the connections that are open at a time, so that idle ones cannot use up the process's memory and files, nor
 * one address take them all. One too many is closed before anything of it is read. A proxy is one address, whatever
 * TRUST_PROXY says.
 */
export function registerConnectionLimit(
  app: FastifyInstance,
  { max, per_address }: { max: number; per_address: number }
): void {
  app.server.maxConnections = max
  const open = new Map<string, number>()
  app.server.on('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? '')
    const count = (open.get(network) ?? 0) + 1
    if (count > per_address) {
      socket.destroy()
      return
    }
    open.set(network, count)
    socket.once('close', () => {
      const left = (open.get(network) as number) - 1
      if (left === 0) open.delete(network)
      else open.set(network, left)
    })
  })
}
