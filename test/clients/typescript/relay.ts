import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HasTeardown } from '../../helper.js'

/** What a relay does with a request instead of passing it on. */
export type Fault =
  /** Closes the connection without an answer. */
  | { kind: 'reset' }
  /** Passes the request on, and closes the connection instead of passing the answer back. */
  | { kind: 'lost' }
  /** Answers for the service, as a gateway does. */
  | { kind: 'answer'; status: number; body: string; headers?: Record<string, string> }
  /** Does not answer. */
  | { kind: 'silent' }

export interface Relay {
  url: string
  /** The path and the idempotency key of each request, in their order. */
  seen: Array<{ path: string; body: string; headers: IncomingMessage['headers'] }>
  /** What happens to the next requests, one after the other. */
  faults: Fault[]
  /** Breaks every connection that is open. */
  breakAll: () => void
}

/** A gateway between a client and the service, with faults on demand. */
export async function startRelay(t: HasTeardown, target: string): Promise<Relay> {
  const seen: Relay['seen'] = []
  const faults: Fault[] = []
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      seen.push({ path: incoming.url ?? '', body: body.toString(), headers: incoming.headers })
      const fault = faults.shift()
      if (fault?.kind === 'reset') incoming.socket.destroy()
      else if (fault?.kind === 'answer') answer.writeHead(fault.status, fault.headers).end(fault.body)
      else if (fault?.kind !== 'silent') pass(target, incoming, body, answer, fault?.kind === 'lost')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(
    () =>
      new Promise(resolve => {
        server.close(resolve)
        server.closeAllConnections()
      })
  )
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    faults,
    breakAll: () => {
      server.closeAllConnections()
    }
  }
}

function pass(target: string, incoming: IncomingMessage, body: Buffer, answer: ServerResponse, isLost: boolean): void {
  const { method, url = '', headers } = incoming
  const out = request(new URL(url, target), { method, headers: { ...headers, host: new URL(target).host } }, back => {
    if (isLost) {
      back.resume()
      back.on('end', () => incoming.socket.destroy())
      return
    }
    answer.writeHead(back.statusCode ?? 502, back.headers)
    back.pipe(answer)
    // A service that was killed breaks its answers off. Without this a stream would stay open, and silent.
    back.on('close', () => {
      if (!back.complete) incoming.socket.destroy()
    })
  })
  out.on('error', () => incoming.socket.destroy())
  answer.on('close', () => out.destroy())
  out.end(body)
}
