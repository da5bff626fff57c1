/**
 * Where the service's time goes: `npm run bench:profile -- --load rest --seconds 10 --out /tmp/profiles`. Puts a load
 * on the real program under node --cpu-prof, prints what took longest, and leaves the .cpuprofile for a viewer.
 */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { begin, endWith } from './kit/begin.js'
import { createCleanup } from './kit/cleanup.js'
import { cpuOf, cpuOfPostgres } from './kit/cpu.js'
import {
  addMessages,
  addMessages2025,
  addMessages2026,
  CONNECTIONS,
  openMcpSession,
  rest,
  senders,
  SUCCESS
} from './kit/requests.js'
import { follow } from './kit/follow.js'
import { type Service, startService } from './kit/service.js'
import { table } from './search/table.js'

const LOADS = [
  'rest',
  'watched',
  'watched-list',
  'mcp-2025',
  'mcp-2026',
  'without-database',
  'get-messages',
  'get-memory'
]

const { values: flags } = parseArgs({
  options: {
    load: { type: 'string', default: 'rest' },
    seconds: { type: 'string', default: '10' },
    out: { type: 'string', default: join(tmpdir(), 'scs-profiles') },
    top: { type: 'string', default: '40' }
  }
})
const seconds = Number(flags.seconds)
if (!LOADS.includes(flags.load)) throw new Error(`--load is one of ${LOADS.join(', ')}.`)
if (!(seconds > 0 && seconds <= 600)) throw new Error('--seconds is more than 0 and at most 600.')
const out = resolve(flags.out)

const cleanup = createCleanup()
const { ending, end } = endWith(cleanup)
let code = 0
try {
  await mkdir(out, { recursive: true })
  const { program, postgres, load } = await begin(cleanup, undefined, true)
  const database = await postgres.createDatabase('profile')
  const service = await startService(program, cleanup, {
    database_url: database.url,
    ...(flags.load === 'without-database' && { entry: 'bench/programs/without-database.js' }),
    node: ['--cpu-prof', `--cpu-prof-dir=${out}`, '--cpu-prof-interval=500']
  })
  const tokens = await service.tokens(CONNECTIONS)
  const sessions = await service.sessions(flags.load.startsWith('watched') ? 1 : CONNECTIONS)
  const followed = { watched: `/mcp/sessions/${sessions[0]}/events`, 'watched-list': '/mcp/events' }[flags.load]
  if (followed !== undefined) await follow(service.port, followed, tokens[0] as string, () => {})
  await load.prepare('profile', { senders: await sendersOf(flags.load, service, tokens, sessions), expect: SUCCESS })
  await load.run('profile', 1)
  const before = [cpuOf(service.pid), cpuOfPostgres(postgres.pid)]
  const { ok, late, p50_ms, p99_ms } = await load.run('profile', seconds)
  const after = [cpuOf(service.pid), cpuOfPostgres(postgres.pid)]
  const [ours, theirs] = after.map((value, i) =>
    Math.round((((value ?? NaN) - (before[i] ?? NaN)) * 1000) / (ok + late))
  )
  await service.stop()
  const file = await newest(out)
  console.log(
    `${flags.load}: ${Math.round(ok / seconds)}/s, p50 ${p50_ms.toFixed(1)} ms, p99 ${p99_ms.toFixed(1)} ms; CPU each: service ${ours} µs (with the profiler), PostgreSQL ${theirs} µs\n`
  )
  console.log(summary(JSON.parse(await readFile(file, 'utf8')) as Profile, Number(flags.top)))
  console.log(`\n${file}\nOpen it in Chrome's DevTools (Performance, Load profile) or at https://www.speedscope.app.`)
} catch (error) {
  if (!ending()) {
    code = 1
    console.error(error)
  }
} finally {
  if (!ending()) await end(code)
}

async function sendersOf(load: string, service: Service, tokens: string[], sessions: string[]) {
  const token = (connection: number) => tokens[connection] as string
  if (load === 'mcp-2025')
    return addMessages2025(
      service.port,
      tokens,
      sessions,
      await Promise.all(tokens.map(token => openMcpSession(service, token)))
    )
  if (load === 'mcp-2026') return addMessages2026(service.port, tokens, sessions)
  if (load === 'get-messages') {
    for (const session_id of sessions)
      await service.call('add_messages', {
        session_id,
        messages: Array.from({ length: 60 }, (_, n) => ({ content: `message ${n} of many` }))
      })
    return senders(service.port, connection =>
      rest('get_messages', { session_id: sessions[connection], limit: 50 }, token(connection))
    )
  }
  if (load === 'get-memory') {
    for (const token of tokens)
      await service.call('set_memory', { key: 'state', value: { step: 7, done: ['read', 'plan'] } }, token)
    return senders(service.port, connection => rest('get_memory', { key: 'state' }, token(connection)))
  }
  return addMessages(service.port, tokens, sessions)
}

async function newest(folder: string): Promise<string> {
  const files = await Promise.all(
    (await readdir(folder))
      .filter(name => name.endsWith('.cpuprofile'))
      .map(async name => ({ path: join(folder, name), at: (await stat(join(folder, name))).mtimeMs }))
  )
  const last = files.sort((a, b) => b.at - a.at)[0]
  if (last === undefined) throw new Error(`There is no profile in ${folder}.`)
  return last.path
}

interface Profile {
  nodes: Array<{ id: number; callFrame: { functionName: string; url: string; lineNumber: number } }>
  samples: number[]
  timeDeltas: number[]
}

/** Time of each function itself, and of each file or package, as shares of the time that was not idle. */
function summary({ nodes, samples, timeDeltas }: Profile, top: number): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const byFunction = new Map<string, number>()
  const byPlace = new Map<string, number>()
  let busy = 0
  samples.forEach((id, i) => {
    const frame = frames.get(id)
    if (frame === undefined || frame.functionName === '(idle)') return
    const time = timeDeltas[i] ?? 0
    busy += time
    const place = placeOf(frame.url, frame.functionName)
    const name = `${frame.functionName === '' ? '(anonymous)' : frame.functionName} ${frame.url === '' ? '' : `${place}:${frame.lineNumber + 1}`}`
    byFunction.set(name, (byFunction.get(name) ?? 0) + time)
    byPlace.set(place, (byPlace.get(place) ?? 0) + time)
  })
  const rows = (of: Map<string, number>, most: number) =>
    [...of]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([name, time]) => [name, `${((100 * time) / busy).toFixed(1)} %`])
  return `${table(['file or package', 'self'], rows(byPlace, 25))}\n\n${table(['function', 'self'], rows(byFunction, top))}`
}

function placeOf(url: string, functionName: string): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)'
  const module = /node_modules\/((?:@[^/]+\/)?[^/]+)/g
  const packages = [...url.matchAll(module)]
  return packages.at(-1)?.[1] ?? /dist\/(.+)$/.exec(url)?.[1] ?? url
}
