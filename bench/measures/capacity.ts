import type { Bench, Finding, Row } from '../kit/bench.js'
import { perSecond, sideNotes } from '../kit/report.js'
import { addMessages, addMessages2026, openMcpSession, rest, senders, SUCCESS } from '../kit/requests.js'
import { alternate, loadSide, median, type Round } from '../kit/rounds.js'
import { fill } from './get-messages.js'
import { mix } from './mixed.js'
import { served } from './with.js'

const PAGE = 50
const MESSAGES = 10_000
/** One key's searches at once are bounded: more would be refused. */
const SEARCHES_AT_ONCE = 4

/**
 * How many calls one core of a replica serves, and one core of PostgreSQL, by the CPU time that each call takes there;
 * the ratio says how many cores of PostgreSQL one core of replicas keeps busy.
 */
export async function capacity(bench: Bench): Promise<Finding> {
  const { service, database, tokens, sessions, end } = await served(bench, 'capacity')
  const { port } = service
  const [read] = await service.sessions(1)
  await fill(database, read as string, MESSAGES)
  await database.query('vacuum analyze')
  const mcpSessions: string[] = []
  for (const token of tokens) mcpSessions.push(await openMcpSession(service, token))
  const each = (tool: string, args: (n: number) => unknown, connections?: number) =>
    senders(port, (connection, n) => rest(tool, args(n), tokens[connection] as string), connections)
  const plans = {
    add_message: addMessages(port, tokens, sessions),
    'add_message over MCP': addMessages2026(port, tokens, sessions),
    set_memory: each('set_memory', n => ({ key: `state ${n % 10}`, value: { step: n } })),
    get_memory: each('get_memory', () => ({ key: 'state 0' })),
    [`get_messages, ${PAGE}`]: each('get_messages', () => ({ session_id: read, limit: PAGE })),
    search_context: each(
      'search_context',
      n => ({ session_id: read, query: QUERIES[n % QUERIES.length] }),
      SEARCHES_AT_ONCE
    ),
    'agents at work': mix(port, tokens, sessions, mcpSessions)
  }
  // What is read is there before it is read.
  for (const token of tokens) await service.call('set_memory', { key: 'state 0', value: { step: 0 } }, token)
  for (const [name, plan] of Object.entries(plans)) await bench.load.prepare(name, { senders: plan, expect: SUCCESS })
  const measured = await alternate(
    bench,
    Object.keys(plans).map(name => loadSide(bench, name, name, [service]))
  )
  await end()
  return {
    rows: [...measured].map(([name, rounds]) => rowOf(name, rounds)),
    notes: sideNotes(measured).map(note => `capacity: ${note}`)
  }
}

const QUERIES = ['connection refused', 'what broke the build', 'deploy failed', 'who reviews the change']

function rowOf(name: string, rounds: Round[]): Row {
  const micros = rounds.map(({ cpu }) => ({ service: cpu?.service ?? NaN, postgres: cpu?.postgres ?? NaN }))
  const ratios = micros.map(({ service, postgres }) => postgres / service)
  const perCore = (part: 'service' | 'postgres') => perSecond(1e6 / median(micros.map(each => each[part])))
  return {
    measure: `capacity by CPU time: ${name}`,
    a: `core of a replica: ${perCore('service')}`,
    b: `core of PostgreSQL: ${perCore('postgres')}`,
    ratio: median(ratios).toFixed(2),
    spread: `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    bar: '',
    verdict: '–'
  }
}
