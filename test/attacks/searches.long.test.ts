import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { ADMIN_API_KEY } from '../helper.js'
import { post } from '../support/rest.js'
import { startLimitedServer } from './bodies/limited-server.js'

/**
 * The owner of an ordinary key, who has written 20 000 messages of variants of one word, searches for 35 of them, as
 * sixteen agents without a pause. A neighbour of another workspace works on meanwhile, and has no error.
 * With FIGURES=1 (npm run attack:searches) this lasts longer, and the neighbour's p95 at most doubles: the median of
 * turns, each a time without the attack and one with it.
 */

const FIGURES = process.env.FIGURES === '1'
const TURNS = FIGURES ? 5 : 1
const TURN_MS = FIGURES ? 5000 : 2000
const MESSAGES = FIGURES ? 20_000 : 2000
const P95_RATIO_MAX = 2
const PAUSE_MS = 20

t.setTimeout(600_000)
const server = await startLimitedServer(t, 'error')
const { url, port } = server

/** A key of its own for any agent's name, of a workspace of its own. */
async function keyOf(workspace: string): Promise<string> {
  const draft = { agent_id: '*', agent_type: 'custom', permissions: ['read', 'write'], workspace }
  return (await post(url, 'create_api_key', draft, { key: ADMIN_API_KEY, agent: 'boss' })).api_key as string
}
const hostile = { key: await keyOf('hostile'), agent: 'hostile-0' }
const neighbour = { key: await keyOf('neighbours'), agent: 'neighbour' }

const letters = 'bcdfghjklmnpqrstvwxz'
const letter = (n: number) => letters.charAt(Math.floor(n) % 20)
const variant = (n: number) => `quokk${letter(n)}${letter(n / 20)}${letter(n / 400)}${letter(n / 8000)}a`
const { session_id } = await post(url, 'create_session', { purpose: 'variants' }, hostile)
for (let from = 0; from < MESSAGES; from += 100)
  await post(
    url,
    'add_messages',
    {
      session_id,
      messages: Array.from({ length: 100 }, (_, i) => ({ content: `${variant(from + i)} ${variant(from + i + 7)}` }))
    },
    hostile
  )
const queries = [
  Array.from({ length: 35 }, (_, n) => variant(n * 83).replace(/a$/, 'e')).join(' '),
  Array.from({ length: 35 }, (_, n) => `quok${letter(n)}`).join(' '),
  Array.from({ length: 60 }, (_, n) => `okk${letter(n)}`).join(' '),
  'quokk '.repeat(80),
  Array.from({ length: 35 }, (_, n) => variant(n)).join('-')
].map(query => query.slice(0, 500))

const own = (await post(url, 'create_session', { purpose: 'ordinary work' }, neighbour)).session_id as string
for (let from = 0; from < 1000; from += 100)
  await post(
    url,
    'add_messages',
    {
      session_id: own,
      messages: Array.from({ length: 100 }, (_, i) => ({ content: `step ${from + i}: the walrus is in the harbour` }))
    },
    neighbour
  )
const work: Array<[tool: string, args: Record<string, unknown>]> = [
  ['add_message', { session_id: own, content: 'an ordinary message' }],
  ['get_messages', { session_id: own, limit: 50 }],
  ['search_context', { session_id: own, query: 'walrus harbour' }]
]

/** Milliseconds that the neighbour's calls took, by tool. @throws if one of them fails */
async function workFor(ms: number): Promise<Map<string, number[]>> {
  const took = new Map(work.map(([tool]) => [tool, [] as number[]]))
  for (const end = Date.now() + ms; Date.now() < end;)
    for (const [tool, args] of work) {
      const began = performance.now()
      await post(url, tool, args, neighbour)
      took.get(tool)?.push(performance.now() - began)
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
  return took
}

async function attackFor(ms: number): Promise<Record<string, number>> {
  const order = { port, key: hostile.key, session_id, queries, agents: 16, ms }
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'searches', 'attacker.mjs'), JSON.stringify(order)],
    {
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await once(child, 'close')
  return JSON.parse(said) as Record<string, number>
}

const at = (values: number[], part: number) => values.sort((a, b) => a - b)[Math.floor(values.length * part)] ?? 0

t.test('sixteen agents who search for what is dear to find, and a neighbour', async t => {
  await workFor(1000)
  const ratios = new Map(work.map(([tool]) => [tool, [] as number[]]))
  for (let turn = 0; turn < TURNS; turn++) {
    const quiet = await workFor(TURN_MS)
    const attack = attackFor(TURN_MS + 1500)
    await new Promise(resolve => setTimeout(resolve, 750))
    const beside = await workFor(TURN_MS)
    const answers = await attack
    t.ok((answers['200'] ?? 0) > 0, `searches were made: ${JSON.stringify(answers)}`)
    t.notOk(answers['500'], 'nobody got a 500')
    for (const [tool, found] of ratios) {
      const [alone, under] = [at(quiet.get(tool) ?? [], 0.95), at(beside.get(tool) ?? [], 0.95)]
      found.push(under / alone)
      t.comment(`${tool}: p95 ${alone.toFixed(1)} ms alone, ${under.toFixed(1)} ms beside ${JSON.stringify(answers)}`)
    }
  }
  for (const [tool, found] of ratios) {
    const ratio = at(found, 0.5)
    if (FIGURES) t.ok(ratio <= P95_RATIO_MAX, `${tool}: the neighbour's p95 is ${ratio.toFixed(2)} times its own`)
  }
  t.notMatch(server.output(), /"level":(50|60)/, 'no error was logged')
})
