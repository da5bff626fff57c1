/**
 * The load generator, a process that gets orders from its parent. It sends HTTP/1.1 over raw sockets that stay open,
 * one request at a time on each. To use little CPU, it encodes requests beforehand, and of an answer it reads only the
 * frame and whether it is a success.
 */
import { connect, type Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { chunksEnd, lengthOf, unchunked } from './answers.js'
import { type Encoded, filled, keep, readyFrom, type Ready } from './encoded.js'
import type { Order, Result } from './plan.js'

/** How long the generator waits for the last answers when the time is up. */
const DRAIN_MS = 15_000

const plans = new Map<string, Ready>()

class Sending {
  private socket: Socket | undefined
  private next: number
  private began = 0
  private parts: Buffer[] = []
  private have = 0
  /** Bytes of the whole answer; 0 until its head has come, -1 if it comes in chunks. */
  private need = 0
  private done: () => void = () => {}
  /** What answers have held, by slot. */
  private readonly kept: string[] = []

  constructor(
    private readonly run: Running,
    private readonly port: number,
    private readonly requests: Encoded[],
    first: number
  ) {
    this.next = first % requests.length
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true })
      this.socket = socket
      socket.once('connect', resolve)
      socket.once('error', reject)
      socket.on('data', chunk => {
        this.read(chunk)
      })
      socket.on('close', () => {
        this.lost()
      })
    })
  }

  /** Sends until the time is up, and waits for the last answer. */
  send(): Promise<void> {
    return new Promise(resolve => {
      this.done = resolve
      this.go()
    })
  }

  close(): void {
    const socket = this.socket
    this.socket = undefined
    socket?.destroy()
    this.done()
  }

  private go(): void {
    const request = this.requests[this.next] as Encoded
    this.next = this.next + 1 === this.requests.length ? 0 : this.next + 1
    this.began = performance.now()
    this.socket?.write(filled(request, this.kept))
  }

  private read(chunk: Buffer): void {
    this.parts.push(chunk)
    this.have += chunk.length
    if (this.need > 0 && this.have < this.need) return
    const data = this.parts.length === 1 ? chunk : Buffer.concat(this.parts)
    if (this.need === 0) this.need = lengthOf(data)
    else if (this.need === -1) this.parts = [data]
    if (this.need === 0 || (this.need === -1 ? !chunksEnd(data) : data.length < this.need)) return
    this.parts = []
    this.have = 0
    const chunked = this.need === -1
    this.need = 0
    const now = performance.now()
    this.run.answered(data, chunked, now - this.began, now)
    keep(this.run.finds, data, this.kept)
    if (now < this.run.until) this.go()
    else this.done()
  }

  private lost(): void {
    if (this.socket === undefined) return
    this.socket = undefined
    this.run.broke()
    this.parts = []
    this.have = 0
    this.need = 0
    // Wait a little before the next attempt: a service that is gone must not be called a thousand times a second.
    setTimeout(() => {
      if (performance.now() >= this.run.until) this.done()
      else
        this.open().then(
          () => {
            this.go()
          },
          () => {
            this.lost()
          }
        )
    }, 100)
  }
}

class Running {
  until = 0
  readonly latency = createHistogram({ lowest: 1, highest: 120_000_000, figures: 3 })
  ok = 0
  late = 0
  failed = 0
  refused = 0
  broken = 0
  sample: string | undefined

  constructor(
    private readonly expect: Buffer,
    readonly finds: RegExp[]
  ) {}

  answered(data: Buffer, chunked: boolean, ms: number, now: number): void {
    const is2xx = data[9] === 0x32
    if (is2xx && (chunked ? unchunked(data) : data).includes(this.expect)) {
      if (now > this.until) {
        this.late++
        return
      }
      this.ok++
      this.latency.record(Math.max(1, Math.round(ms * 1000)))
      return
    }
    if (is2xx) this.failed++
    else this.refused++
    this.sample ??= data.toString('utf8', 0, 600)
  }

  broke(): void {
    this.broken++
  }
}

async function run({ senders, expect, finds }: Ready, seconds: number): Promise<Result> {
  const running = new Running(expect, finds)
  // Each connection starts at another request, so that they do not all send the same one at the same time.
  const sendings = senders.map(
    ({ port, requests }, i) => new Sending(running, port, requests, finds.length > 0 ? 0 : i * 7)
  )
  try {
    await Promise.all(sendings.map(sending => sending.open()))
    const cpu = process.cpuUsage()
    const began = performance.now()
    running.until = began + seconds * 1000
    const timer = setTimeout(
      () => {
        for (const sending of sendings) sending.close()
      },
      seconds * 1000 + DRAIN_MS
    )
    await Promise.all(sendings.map(sending => sending.send()))
    clearTimeout(timer)
    const { user, system } = process.cpuUsage(cpu)
    const { latency, ok, late, failed, refused, broken, sample } = running
    const ms = (percentile: number) => (latency.count === 0 ? 0 : latency.percentile(percentile) / 1000)
    return {
      seconds,
      ok,
      late,
      failed,
      refused,
      broken,
      sample,
      p50_ms: ms(50),
      p99_ms: ms(99),
      max_ms: latency.count === 0 ? 0 : latency.max / 1000,
      cpu_ms: (user + system) / 1000
    }
  } finally {
    for (const sending of sendings) sending.close()
  }
}

async function obey(order: Order): Promise<Result | undefined> {
  if (order.do === 'forget') {
    plans.delete(order.plan)
  } else if (order.do === 'prepare') {
    plans.set(order.plan, readyFrom(order.is))
  } else {
    const plan = plans.get(order.plan)
    if (plan === undefined) throw new Error(`There is no plan ${order.plan}.`)
    return run(plan, order.seconds)
  }
  return undefined
}

process.on('message', (order: Order) => {
  obey(order).then(
    result => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) })
  )
})
// The parent ends this process; Ctrl-C in a terminal reaches both.
process.on('SIGINT', () => {})
process.on('disconnect', () => {
  process.exit()
})
