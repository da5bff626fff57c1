import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A way to PostgreSQL that can misbehave, as poolers and networks do. */
export interface Proxy {
  url: string
  /**
   * `swallow`: notifications do not come through, like behind a pooler of transactions. `hole`: nothing does, and
   * nobody is told.
   */
  mode: 'pass' | 'swallow' | 'hole'
  /** Where new connections lead: a database URL, of which only host and port count. */
  target: string
  connections: () => number
}

const NOTIFICATION = 'A'.charCodeAt(0)

export async function openProxy(t: Test, database_url: string): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const { port, hostname } = new URL(proxy.target)
    const upstream = connect(Number(port), hostname)
    // TCP loses nothing in the middle: a connection that has lost something never carries anything again.
    let isLost = false
    const isHole = () => (isLost ||= proxy.mode === 'hole')
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        if (proxy.mode !== 'hole') other.destroy()
      })
    }
    client.on('data', data => {
      if (!isHole()) upstream.write(data)
    })
    // The server's messages are one byte of kind and four of length, which counts itself; without TLS from the first
    // byte on.
    let rest = Buffer.alloc(0)
    upstream.on('data', (data: Buffer) => {
      rest = Buffer.concat([rest, data])
      while (rest.length >= 5 && rest.length >= 1 + rest.readUInt32BE(1)) {
        const message = rest.subarray(0, 1 + rest.readUInt32BE(1))
        rest = rest.subarray(message.length)
        if (isHole() || (proxy.mode === 'swallow' && message[0] === NOTIFICATION)) continue
        client.write(message)
      }
    })
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const url = new URL(database_url)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as { port: number }).port)
  const proxy: Proxy = { url: url.href, mode: 'pass', target: database_url, connections: () => sockets.size / 2 }
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return proxy
}
