/**
 * Clients that listen: a process of its own, told by its parent what to open. HTTP/1.1 over raw sockets; of what comes
 * no more is read than is needed to go on and to count. Times are told by the clock that all processes of a machine
 * share.
 */
import { connect, type Socket } from 'node:net'
import { API_KEY } from './replica.js'

export type Order =
  /**
   * `idle`: one small request, then nothing. `wait`: wait_for_messages, again and again. `stream`: the events of one
   * session.
   */
  | { do: 'open'; kind: 'idle' | 'wait' | 'stream'; port: number; sessions: string[]; count: number }
  | { do: 'close' }
  /** What came since the last time. */
  | { do: 'tell' }
  /** The CPU so far, and nothing else. */
  | { do: 'cpu' }

export interface Told {
  /** Messages that came by waiting and by streams. */
  waited: number
  streamed: number
  /** When a message was sent, as is noted in it, and when it was there for one who waits. */
  arrived: Array<[sent: number, at: number]>
  open: number
  /** Milliseconds of CPU so far. */
  cpu: number
}

/** Few enough that connecting does not overflow the other side's queue. */
const OPENED_AT_ONCE = 50
const HEAD_END = Buffer.from('\r\n\r\n')
const ADDED = Buffer.from('event: message_added')

const sockets = new Set<Socket>()
let waited = 0
let streamed = 0
let arrived: Told['arrived'] = []

const headers = (n: number) => `Host: 127.0.0.1\r\nX-API-Key: ${API_KEY}\r\nX-Agent-Id: listener-${n % 200}\r\n`

function open(kind: 'idle' | 'wait' | 'stream', port: number, session_id: string, n: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    sockets.add(socket)
    socket.on('error', reject)
    socket.on('close', () => {
      sockets.delete(socket)
    })
    if (kind === 'wait') return wait(socket, session_id, n, resolve)
    socket.write(
      kind === 'idle'
        ? `GET /health/live HTTP/1.1\r\n${headers(n)}\r\n`
        : `GET /mcp/sessions/${session_id}/events HTTP/1.1\r\n${headers(n)}Accept: text/event-stream\r\n\r\n`
    )
    socket.once('data', chunk => {
      if (chunk.toString('latin1', 9, 12) !== '200') reject(new Error(chunk.toString()))
      resolve()
    })
    if (kind === 'stream')
      socket.on('data', chunk => {
        for (let at = chunk.indexOf(ADDED); at >= 0; at = chunk.indexOf(ADDED, at + 1)) streamed++
      })
  })
}

function wait(socket: Socket, session_id: string, n: number, begun: () => void): void {
  let after = ''
  let have = Buffer.alloc(0)
  const ask = () => {
    const body = `{"session_id":"${session_id}","timeout_seconds":60${after}}`
    socket.write(
      `POST /mcp/tool/wait_for_messages HTTP/1.1\r\n${headers(n)}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    )
  }
  socket.on('data', chunk => {
    have = have.length === 0 ? chunk : Buffer.concat([have, chunk])
    const end = have.indexOf(HEAD_END)
    if (end < 0) return
    const length = Number(/content-length: (\d+)/i.exec(have.toString('latin1', 0, end))?.[1])
    if (have.length < end + 4 + length) return
    const text = have.toString('utf8', end + 4, end + 4 + length)
    have = Buffer.alloc(0)
    const now = Number(process.hrtime.bigint()) / 1e6
    const last_seq = /"last_seq":(\d+)/.exec(text)?.[1]
    if (last_seq === undefined) throw new Error(text)
    after = `,"after_seq":${last_seq}`
    waited += Number(/"count":(\d+)/.exec(text)?.[1])
    for (const [, sent] of text.matchAll(/"content":"sent at (\d+\.\d+)/g)) arrived.push([Number(sent), now])
    ask()
  })
  socket.once('connect', () => {
    ask()
    begun()
  })
}

async function obey(order: Order): Promise<Told | undefined> {
  if (order.do === 'open') {
    const { kind, port, sessions, count } = order
    for (let n = 0; n < count; n += OPENED_AT_ONCE) {
      await Promise.all(
        Array.from({ length: Math.min(OPENED_AT_ONCE, count - n) }, (_, i) =>
          open(kind, port, sessions[(n + i) % sessions.length] as string, n + i)
        )
      )
    }
  } else if (order.do === 'close') {
    for (const socket of sockets) {
      socket.removeAllListeners('data')
      socket.destroy()
    }
  }
  const { user, system } = process.cpuUsage()
  if (order.do === 'cpu')
    return { waited: 0, streamed: 0, arrived: [], open: sockets.size, cpu: (user + system) / 1000 }
  const told = { waited, streamed, arrived, open: sockets.size, cpu: (user + system) / 1000 }
  waited = streamed = 0
  arrived = []
  return told
}

process.on('message', (order: Order) => {
  obey(order).then(
    told => process.send?.({ told }),
    (error: unknown) => process.send?.({ error: String(error) })
  )
})
process.on('SIGINT', () => {})
process.on('disconnect', () => {
  process.exit()
})
