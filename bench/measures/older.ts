import type { Bench, Finding, Row } from '../kit/bench.js'
import type { Program } from '../kit/program.js'
import {
  addMessages,
  addMessages2025,
  addMessages2026,
  openMcpSession,
  rest,
  senders,
  SUCCESS
} from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide, median, type Side } from '../kit/rounds.js'
import { type Service, startService } from '../kit/service.js'
import { fill } from './get-messages.js'
import { type Served, served } from './with.js'

const PAGE = 50
const MESSAGES = 10_000
const BAR = 0.97

/** What clients call most often, and the start, against the commit given by --old. */
export async function older(bench: Bench): Promise<Finding> {
  const { old } = bench
  if (old === undefined) {
    const row: Row = {
      measure: 'calls and start ÷ the same of the commit given by --old',
      a: '',
      b: '',
      ratio: '',
      spread: '',
      bar: '',
      verdict: 'skipped'
    }
    return { rows: [row], notes: ['older: not measured: --old names no commit'] }
  }
  const pair = { new: bench.program, old }
  const sides: Record<Call, Side[]> = {
    add_message: [],
    'MCP 2025': [],
    'MCP 2026': [],
    get_messages: [],
    get_memory: []
  }
  const all: Served[] = []
  for (const [age, program] of Object.entries(pair)) {
    const one = await served({ ...bench, program }, `older_${age}`)
    all.push(one)
    for (const [call, plan] of Object.entries(await plans(one)) as Array<[Call, Plan]>) {
      await bench.load.prepare(`${call} ${age}`, plan)
      sides[call].push(loadSide(bench, age, `${call} ${age}`, [one.service]))
    }
  }
  const rows: Row[] = []
  const notes: string[] = []
  for (const [call, both] of Object.entries(sides)) {
    const measured = await alternate(bench, both)
    rows.push(ratioRow(`${call} ÷ the same of the commit given by --old`, measured, 'new', 'old', BAR))
    notes.push(...sideNotes(measured).map(note => `older: ${call}: ${note}`))
  }
  for (const one of all) await one.service.stop()
  rows.push(await starts(bench, { new: all[0] as Served, old: all[1] as Served }, pair))
  for (const { database } of all) await database.drop()
  return { rows, notes }
}

type Call = 'add_message' | 'MCP 2025' | 'MCP 2026' | 'get_messages' | 'get_memory'
type Plan = Parameters<Bench['load']['prepare']>[1]

async function plans({ service, database, tokens, sessions }: Served): Promise<Record<Call, Plan>> {
  const [read] = await service.sessions(1)
  const session_id = read as string
  await fill(database, session_id, MESSAGES)
  const token = (connection: number) => tokens[connection] as string
  for (const token of tokens) await service.call('set_memory', { key: 'state', value: { step: 1 } }, token)
  await database.query('vacuum analyze')
  const { port } = service
  return {
    add_message: { senders: addMessages(port, tokens, sessions), expect: SUCCESS },
    'MCP 2025': {
      senders: addMessages2025(port, tokens, sessions, await mcpSessions(service, tokens)),
      expect: SUCCESS
    },
    'MCP 2026': { senders: addMessages2026(port, tokens, sessions), expect: SUCCESS },
    get_messages: {
      senders: senders(port, connection => rest('get_messages', { session_id, limit: PAGE }, token(connection))),
      expect: `"count":${PAGE},`
    },
    get_memory: {
      senders: senders(port, connection => rest('get_memory', { key: 'state' }, token(connection))),
      expect: SUCCESS
    }
  }
}

async function mcpSessions(service: Service, tokens: string[]): Promise<string[]> {
  const opened: string[] = []
  for (const token of tokens) opened.push(await openMcpSession(service, token))
  return opened
}

/** Starts on a database that runs: process start → ready. */
async function starts(
  bench: Bench,
  on: Record<'new' | 'old', Served>,
  programs: Record<'new' | 'old', Program>
): Promise<Row> {
  const times = { new: [] as number[], old: [] as number[] }
  for (let round = 0; round <= bench.rounds * 2; round++)
    for (const age of round % 2 === 0 ? (['new', 'old'] as const) : (['old', 'new'] as const)) {
      const service = await startService(programs[age], bench.cleanup, { database_url: on[age].database.url })
      await service.stop()
      // The first of each reads the files from disk.
      if (round > 0) times[age].push(service.started_ms)
    }
  const ratios = times.new.map((ms, i) => ms / (times.old[i] as number))
  const shown = (ms: number) => `${Math.round(ms)} ms`
  return {
    measure: 'start on a running database ÷ the same of the commit given by --old (time)',
    a: shown(median(times.new)),
    b: shown(median(times.old)),
    ratio: median(ratios).toFixed(2),
    spread: `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    bar: '≤ 1',
    verdict: median(ratios) <= 1 ? 'pass' : 'FAIL'
  }
}
