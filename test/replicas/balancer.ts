import { Agent, createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { HasTeardown } from '../helper.js'
import { startNginx } from '../support/nginx.js'
import { has } from '../support/programs.js'

/** What stands in front of the replicas: it sends each request to the next of them, whoever makes it. */
export interface Balancer {
  url: string
  kind: 'nginx' | 'node'
}

/** nginx as it is shipped where it is installed, else one that behaves like it. */
export async function startBalancer(t: Test, ports: number[]): Promise<Balancer> {
  if (!has('nginx')) return startRoundRobin(t, ports)
  // Connections kept for later would look like connections that a replica has not closed.
  const { url } = await startNginx(t, ports, conf => conf.replace('keepalive 32', 'keepalive 4'))
  return { url, kind: 'nginx' }
}

/** Says of an answer that it is the proxy's own, and not a replica's. */
export const BY_PROXY = 'x-answered-by-proxy'

/** A request that cannot have begun goes to the next replica; one that may have is answered with 502, or breaks off. */
export async function startRoundRobin(t: HasTeardown, ports: number[]): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 4 })
  let next = 0
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => {
      parts.push(part)
    })
    incoming.on('error', () => {})
    incoming.on('end', () => {
      pass(incoming, Buffer.concat(parts), outgoing, next++, ports.length)
    })
  })

  function pass(incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse, turn: number, tries: number): void {
    const port = ports[turn % ports.length] as number
    // Connection is between two neighbours, and the body is sent in one piece.
    const { connection, 'transfer-encoding': _chunks, ...headers } = incoming.headers
    const upstream = send({
      host: '127.0.0.1',
      port,
      agent,
      method: incoming.method,
      path: incoming.url,
      headers: { ...headers, 'content-length': body.length }
    })
    let connected = false
    upstream.on('socket', socket => {
      connected = !socket.connecting
      if (!connected)
        socket.once('connect', () => {
          connected = true
        })
    })
    upstream.on('response', answer => {
      const { connection, 'keep-alive': _time, ...headers } = answer.headers
      outgoing.writeHead(answer.statusCode as number, headers)
      outgoing.flushHeaders()
      answer.on('data', part => {
        if (!outgoing.write(part)) {
          answer.pause()
          outgoing.once('drain', () => {
            answer.resume()
          })
        }
      })
      answer.on('end', () => {
        outgoing.end()
      })
      answer.on('error', () => {})
      answer.on('close', () => {
        if (!answer.complete) outgoing.destroy()
      })
    })
    upstream.on('error', () => {
      if (outgoing.headersSent || outgoing.destroyed) return
      // The one after it, not whoever is next by now: that may be the same one again.
      if (tries > 1 && (!connected || incoming.method === 'GET'))
        return pass(incoming, body, outgoing, turn + 1, tries - 1)
      outgoing.writeHead(502, { 'content-type': 'application/json', [BY_PROXY]: 'yes' }).end('{}')
    })
    outgoing.on('error', () => {})
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) upstream.destroy()
    })
    upstream.end(body)
  }

  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
    agent.destroy()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, kind: 'node' }
}
