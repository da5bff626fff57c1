import { Agent as HttpAgent, request, type ClientRequest } from 'node:http'
import type { Bench, Finding, Row } from '../kit/bench.js'
import { cpuOf } from '../kit/cpu.js'
import { median } from '../kit/rounds.js'
import { HEAP, type Service } from '../kit/service.js'
import { served } from './with.js'

const WAITING = 200
/** Messages a second into each session, while all wait; none of them is what is waited for. */
const MESSAGES_PER_SECOND = 50
const BAR = 1.2

interface Cost {
  /** Milliseconds of CPU of the service for a message. */
  cpu: number
  /** Bytes of heap of one that waits. */
  heap: number
}

/** What questions whose answer is waited for cost the service, against as many calls of wait_for_messages. */
export async function asks(bench: Bench): Promise<Finding> {
  const { service, tokens, sessions, end } = await served(bench, 'asks', { node: HEAP })
  const session_id = sessions[0] as string
  const waits = () =>
    tokensFor(tokens).map(token => ({
      ...{ tool: 'wait_for_messages', token },
      args: { session_id, sender: 'nobody', timeout_seconds: 55 }
    }))
  const questions = () =>
    tokensFor(tokens).map(token => ({
      ...{ tool: 'ask', token },
      args: { to: 'nobody', content: 'What do you think?', session_id, timeout_seconds: 55 }
    }))
  const costs = { asks: [] as Cost[], waits: [] as Cost[] }
  for (let round = 0; round <= bench.rounds; round++) {
    const turn = round % 2 === 0 ? (['asks', 'waits'] as const) : (['waits', 'asks'] as const)
    for (const side of turn) {
      const cost = await costOf(bench, service, session_id, side === 'asks' ? questions() : waits())
      // The first round warms up.
      if (round > 0) costs[side].push(cost)
    }
    const last = (side: 'asks' | 'waits') => costs[side].at(-1)
    if (round > 0)
      bench.say(`  CPU ${last('asks')?.cpu.toFixed(2)} ÷ ${last('waits')?.cpu.toFixed(2)} ms for a message`)
  }
  await end()
  return {
    rows: [
      row('CPU of the service for a message', costs, 'cpu', 'ms', 1),
      row('heap of each', costs, 'heap', 'KiB', 1024)
    ],
    notes: [
      `asks: ${WAITING} wait in one session, into which ${MESSAGES_PER_SECOND} messages a second are written meanwhile`
    ]
  }
}

/** More wait than there are agents. */
function tokensFor(tokens: string[]): string[] {
  return Array.from({ length: WAITING }, (_, n) => tokens[n % tokens.length] as string)
}

async function costOf(
  { seconds }: Bench,
  service: Service,
  session_id: string,
  calls: Array<{ tool: string; args: unknown; token: string }>
): Promise<Cost> {
  const agent = new HttpAgent({ keepAlive: false, maxSockets: Infinity })
  const empty = await service.heap()
  const open = calls.map(call => send(service.port, agent, call))
  await waiting(service, calls.length)
  // Until what the calls have written is told and settled.
  await service.settle()
  const heap = ((await service.heap()) - empty) / calls.length
  const messages = Math.round(MESSAGES_PER_SECOND * seconds * 2)
  const before = cpuOf(service.pid) ?? NaN
  const began = performance.now()
  for (let n = 0; n < messages; n++) {
    const wait = began + (n * 1000) / MESSAGES_PER_SECOND - performance.now()
    if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
    await service.call('add_message', { session_id, content: 'Something else altogether.' })
  }
  const cpu = ((cpuOf(service.pid) ?? NaN) - before) / messages
  for (const one of open) one.destroy()
  await waiting(service, 0)
  await service.settle()
  return { cpu, heap }
}

function send(port: number, agent: HttpAgent, call: { tool: string; args: unknown; token: string }): ClientRequest {
  const body = JSON.stringify(call.args)
  const sent = request({
    ...{ host: '127.0.0.1', port, agent, method: 'POST', path: `/mcp/tool/${call.tool}` },
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${call.token}`
    }
  })
  // It is broken off in the end.
  sent.on('error', () => {})
  sent.end(body)
  return sent
}

async function waiting(service: Service, count: number): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until;) {
    if ((await service.metrics()).get('waiters') === count) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`There are not ${count} calls that wait.`)
}

function row(
  what: string,
  costs: Record<'asks' | 'waits', Cost[]>,
  of: keyof Cost,
  unit: string,
  divisor: number
): Row {
  const shown = (side: 'asks' | 'waits') =>
    `${side}: ${(median(costs[side].map(cost => cost[of])) / divisor).toFixed(2)} ${unit}`
  const ratios = costs.asks.map((cost, i) => cost[of] / (costs.waits[i] as Cost)[of])
  const ratio = median(ratios)
  return {
    measure: `${WAITING} calls of ask that wait ÷ as many of wait_for_messages: ${what}`,
    ...{ a: shown('asks'), b: shown('waits'), ratio: ratio.toFixed(2) },
    spread: `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    bar: `≤ ${BAR}`,
    verdict: ratio <= BAR ? 'pass' : 'FAIL'
  }
}
