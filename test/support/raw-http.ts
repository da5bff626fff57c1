import { connect } from 'node:net'
import type { Answer } from '../helper.js'

/**
 * One request as bytes on a socket of its own, for what no client library lets one send. @returns what came back until
 * the server closed
 */
export async function exchange(base: string, parts: Array<string | Buffer>): Promise<Answer> {
  const { hostname, port } = new URL(base)
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      for (const part of parts) socket.write(part)
    })
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('close', () => {
      resolve()
    })
    // A server that refuses a body does not read it to its end; what it has answered by then counts.
    socket.on('error', error => {
      if (chunks.length === 0) reject(error)
    })
    socket.setTimeout(30_000, () => {
      reject(new Error('no answer'))
    })
  })
  const [head = '', ...rest] = Buffer.concat(chunks).toString('utf8').split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
  )
  const text = rest.join('\r\n\r\n')
  let body: unknown = text
  try {
    body = JSON.parse(text)
  } catch {
    // A body that is not JSON is seen by the caller.
  }
  return { status: Number(statusLine.split(' ')[1]), headers, body }
}

/** A request with a body, `Connection: close` so that the exchange ends. */
export async function post(
  base: string,
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
  method = 'POST'
): Promise<Answer> {
  const all: Record<string, string | number> = {
    host: new URL(base).host,
    connection: 'close',
    'content-length': Buffer.byteLength(body),
    'content-type': 'application/json',
    ...headers
  }
  const lines = Object.entries(all)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`)
  return exchange(base, [`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, Buffer.from(body)])
}
