import { connect, type Socket } from 'node:net'
import { API_KEY } from '../helper.js'
import { until } from './rest.js'

/** A connection whose bytes the test sends itself, and all that came back on it. */
export interface RawConnection {
  socket: Socket
  send: (text: string | Buffer) => void
  received: () => string
  /** The statuses of the answers so far. */
  statuses: () => number[]
  /** Waits for so many answers. */
  answers: (count: number) => Promise<number[]>
  /** The object of the last answer. */
  lastBody: () => any
  isClosed: () => boolean
  closed: () => Promise<void>
}

export async function openRaw(base: string, localAddress = '127.0.0.1'): Promise<RawConnection> {
  const { hostname, port } = new URL(base)
  const socket = connect({ port: Number(port), host: hostname, localAddress, allowHalfOpen: true })
  let text = ''
  let closed = false
  socket.on('data', chunk => {
    text += chunk.toString()
  })
  socket.on('error', () => {})
  // The server has closed its side, or all.
  socket.on('end', () => {
    closed = true
  })
  socket.on('close', () => {
    closed = true
  })
  await new Promise(resolve => socket.once('connect', resolve))
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => Number(status))
  return {
    socket,
    send(bytes) {
      if (!socket.destroyed) socket.write(bytes)
    },
    received: () => text,
    statuses,
    async answers(count) {
      await until(`${count} answers`, () => statuses().length >= count)
      return statuses()
    },
    lastBody: () => JSON.parse(text.slice(text.lastIndexOf('\r\n\r\n') + 4)),
    isClosed: () => closed,
    closed: () => until('the server has closed', () => closed)
  }
}

/** A whole request for a tool, with the shared key. */
export function toolRequest(tool: string, args: unknown, headers: Record<string, string> = {}): string {
  const body = JSON.stringify(args)
  const lines = Object.entries({
    host: '127.0.0.1',
    'x-api-key': API_KEY,
    'x-agent-id': 'raw',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST /mcp/tool/${tool} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
