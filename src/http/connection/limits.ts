import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { networkOf } from '../../kernel/network.js'

/**
 * Limits the open connections, in total and for each address, so that idle ones cannot use up memory and file
 * descriptors. A connection beyond the limit is closed before anything is read. A proxy counts as one address, whatever
 * TRUST_PROXY is.
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
      const remaining = (open.get(network) as number) - 1
      if (remaining === 0) open.delete(network)
      else open.set(network, remaining)
    })
  })
}
