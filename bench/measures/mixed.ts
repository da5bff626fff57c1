import type { Bench, Finding, Row } from '../kit/bench.js'
import { memoryOf } from '../kit/cpu.js'
import { CONNECTIONS, contents, mcp2025, mcp2026, openMcpSession, rest, senders, SUCCESS } from '../kit/requests.js'
import { median } from '../kit/rounds.js'
import { NODE_OPTIONS } from '../kit/service.js'
import { served } from './with.js'

/** What of a hundred calls are what. */
const VARIED = 100
/** Handles may come and go by so many between two looks. */
const LEVEL = 3
/** The load goes on until the last figures have been read. */
const SLACK_S = 5

/** Whether the service holds out: memory, open handles, and how long anything waits for its turn. */
export async function mixed(bench: Bench): Promise<Finding> {
  const [warm_s, run_s] = bench.full ? [180, 1800] : [20, 60]
  const { service, tokens, sessions, end } = await served(bench, 'mixed')
  const mcpSessions: string[] = []
  for (const token of tokens) mcpSessions.push(await openMcpSession(service, token))
  await bench.load.prepare('mixed', { senders: mix(service.port, tokens, sessions, mcpSessions), expect: SUCCESS })
  const began = performance.now()
  const until = (seconds: number) => sleep(Math.max(0, seconds - (performance.now() - began) / 1000))
  const running = bench.load.run('mixed', warm_s + run_s + SLACK_S, true)
  // A run that fails is heard below.
  running.catch(() => {})

  await until(warm_s - MEMORY_S)
  const memoryBefore = await memory(service.pid)
  // Event-loop delay is of the time since the last look.
  const before = await service.metrics()
  await until(warm_s + run_s - MEMORY_S)
  const memoryAfter = await memory(service.pid)
  const after = await service.metrics()
  if (performance.now() - began > (warm_s + run_s + SLACK_S) * 1000)
    throw new Error('The last look at the service came too late: its load was over.')
  const { ok, failed, refused, broken, sample, seconds, p50_ms, p99_ms } = await running
  await end()

  const figure = (from: Map<string, number>, name: string) => from.get(name) ?? NaN
  const grown = median(memoryAfter) / median(memoryBefore)
  const delay_ms = figure(after, 'nodejs_eventloop_lag_p99_seconds') * 1000
  const fds = [figure(before, 'process_open_fds'), figure(after, 'process_open_fds')] as const
  const resources = [
    figure(before, 'nodejs_active_resources_total'),
    figure(after, 'nodejs_active_resources_total')
  ] as const
  const what = `mixed load, ${run_s} s after ${warm_s} s of warm-up`
  const unanswered = failed + refused + broken
  const row = (
    measure: string,
    a: string,
    b: string,
    ratio: string,
    spread: string,
    bar: string,
    good: boolean
  ): Row => ({
    measure: `${what}: ${measure}`,
    a,
    b,
    ratio,
    spread,
    bar,
    verdict: good && unanswered === 0 ? 'pass' : 'FAIL'
  })
  return {
    rows: [
      row(
        'memory at the end ÷ after warm-up',
        mib(median(memoryAfter)),
        mib(median(memoryBefore)),
        grown.toFixed(2),
        `${(Math.min(...memoryAfter) / Math.max(...memoryBefore)).toFixed(2)}–${(Math.max(...memoryAfter) / Math.min(...memoryBefore)).toFixed(2)}`,
        '≤ 1.2',
        grown <= 1.2
      ),
      row('open files and sockets', String(fds[1]), String(fds[0]), '', '', 'level', fds[1] <= fds[0] + LEVEL),
      row('event-loop delay p99', `${delay_ms.toFixed(1)} ms`, '', '', '', '≤ 50 ms', delay_ms <= 50)
    ],
    notes: [
      `mixed: ${Math.round(ok / seconds)} calls/s on ${CONNECTIONS} connections, p50 ${p50_ms.toFixed(1)} ms, p99 ${p99_ms.toFixed(1)} ms; ${failed} no success, ${refused} refused, ${broken} connections broken${unanswered > 0 ? ` (${sample?.replace(/\s+/g, ' ').slice(0, 300) ?? 'no answer'})` : ''}`,
      `mixed: active resources of Node ${resources[0]} → ${resources[1]}; event-loop delay includes the 10 ms at which it is looked at; ${NODE_OPTIONS}, as in k8s/`
    ]
  }
}

/** Agents at work: they write, read, look for what is new, remember, search; most over REST, some over MCP. */
export function mix(port: number, tokens: string[], sessions: string[], mcpSessions: string[]) {
  const said = contents(CONNECTIONS * VARIED)
  return senders(
    port,
    (connection, turn) => {
      // Kinds come mixed, and differ from one connection to the next.
      const n = (turn * 37 + connection * 11) % VARIED
      const token = tokens[connection] as string
      const session_id = sessions[(connection + n) % sessions.length]
      const { content, metadata } = said[connection * VARIED + n] as NonNullable<(typeof said)[number]>
      if (n < 38)
        return rest('add_message', { session_id, content, metadata, ...(n < 4 && { visibility: 'private' }) }, token)
      if (n < 40) return rest('add_message', { session_id, content, idempotency_key: `${connection} ${n}` }, token)
      if (n < 54) return rest('get_messages', { session_id, limit: 50 }, token)
      if (n < 68) return rest('get_messages', { session_id, limit: 50, after_seq: n * 3 }, token)
      if (n < 76)
        return rest(
          'set_memory',
          { key: `state ${n}`, value: { step: n, note: content }, ...(n % 2 === 0 && { expires_in: 5 }) },
          token
        )
      if (n < 86) return rest('list_memory', { limit: 5, prefix: `state ${n % 10}` }, token)
      if (n < 88) return rest('search_context', { session_id, query: content.split(' ').slice(0, 2).join(' ') }, token)
      if (n < 90) return rest('get_session', { session_id, message_limit: 10 }, token)
      if (n < 92) return rest('mark_read', { session_id }, token)
      if (n < 96) return mcp2025('add_message', { session_id, content }, token, mcpSessions[connection] as string, turn)
      if (n < 98) return mcp2026('get_messages', { session_id, limit: 20 }, token, turn)
      return mcp2026('add_message', { session_id, content }, token, turn)
    },
    CONNECTIONS,
    VARIED
  )
}

const MEMORY_S = 5

/** Over some seconds, since it goes up and down with each collection. */
async function memory(pid: number): Promise<number[]> {
  const seen: number[] = []
  for (let n = 0; n < 20; n++) {
    seen.push(memoryOf(pid) ?? NaN)
    await sleep(MEMORY_S / 20)
  }
  return seen
}

const mib = (value: number) => `${Math.round(value)} MiB`

function sleep(seconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, seconds * 1000))
}
