import { createServer } from 'node:net'

/**
 * Below the ports that systems give to outgoing connections: one of those could take the place of what is stopped and
 * started again.
 */
const PORTS = { from: 20_000, to: 30_000 }

/** A port that nobody uses, for what cannot be told to choose one itself. */
export async function quietPort(taken: number[] = []): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from))
    if (taken.includes(port)) continue
    const probe = createServer()
    const free = await new Promise<boolean>(resolve => {
      probe
        .once('error', () => {
          resolve(false)
        })
        .listen({ port, host: '127.0.0.1', exclusive: true }, () => {
          resolve(true)
        })
    })
    if (free) {
      await new Promise(resolve => {
        probe.close(resolve)
      })
      return port
    }
  }
}
