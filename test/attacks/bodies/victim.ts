import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import { API_KEY } from '../../helper.js'
import { post, until } from '../../support/rest.js'
import { workHonestly } from './honest.js'
import { RSS_MAX_MB, startLimitedServer } from './limited-server.js'

/**
 * A server as in k8s/, in a process of its own. Somebody honest calls it while an attacker, another process, tries to
 * use it up. What is asked: it survives, it stays below its memory, and whoever is honest notices nothing. With
 * FIGURES=1 the attacks last longer, and it is also asked how long the event loop has stood still.
 */

const FIGURES = process.env.FIGURES === '1'
/** The beginning of the names of those that are tried. */
const ONLY = process.env.ONLY ?? ''
const ATTACK_MS = FIGURES ? 3000 : 500
const STALL_MAX_MS = 250
const STALL_P99_MS = 50

interface Named {
  name: string
  /** To the proxy in front of the server; left out if there is none. */
  proxied?: true
}

/**
 * Tries each attack.
 * @param attacker the program that attacks: it gets the attack as JSON, and prints its answers by status as JSON
 * @param behind starts what is in front of the server, and returns its port
 */
export async function tryAttacks(
  t: Test,
  attacks: Named[],
  attacker: string,
  behind?: (port: number) => Promise<number>
): Promise<void> {
  const says_lag = `--import=${pathToFileURL(join(import.meta.dirname, 'lag.mjs')).href}`
  const server = await startLimitedServer(t, 'warn', says_lag)
  const { port, peakMb } = server
  const proxy = await behind?.(port)
  const { session_id } = await post(server.url, 'create_session', { purpose: 'under attack' })

  async function lag(): Promise<{ max_ms: number; p99_ms: number }> {
    const before = server.output().length
    const said = () => /^lag (.*)$/m.exec(server.output().slice(before))?.[1]
    server.process.kill('SIGUSR2')
    await until('the server says how late it has been', () => said() !== undefined)
    return JSON.parse(said() as string)
  }

  async function attackWith(attack: Named): Promise<Record<string, number>> {
    const child = spawn(
      process.execPath,
      [
        attacker,
        JSON.stringify({
          port: attack.proxied === true ? proxy : port,
          key: API_KEY,
          ms: ATTACK_MS,
          attack: { ...attack, session_id }
        })
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] }
    )
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await new Promise(resolve => child.once('close', resolve))
    return JSON.parse(said).answers
  }

  /** The gauges that are not at rest. */
  async function held(): Promise<string[]> {
    const text = await (await fetch(`${server.url}/metrics`, { headers: { connection: 'close' } })).text()
    return (
      text.match(/^(?:request_body_bytes\{.*\}|event_streams_open\{.*\}|http_requests_in_flight) .*$/gm) ?? []
    ).filter(line => !line.endsWith(' 0'))
  }

  const warmUp = workHonestly(port, session_id)
  await new Promise(resolve => setTimeout(resolve, 500))
  await warmUp.stop()
  const rows: string[] = []
  for (const attack of attacks.filter(({ name }) => name.startsWith(ONLY))) {
    await peakMb()
    await lag()
    const honest = workHonestly(port, session_id)
    const answers = await attackWith(attack)
    const { calls, errors, p99_ms } = await honest.stop()
    t.equal(server.process.exitCode ?? server.process.signalCode, null, `${attack.name}: the server lives`)
    const { max_ms, p99_ms: late_p99_ms } = await lag()
    const peak = await peakMb()
    t.ok(calls > 0, `${attack.name}: somebody honest has called`)
    t.same(errors, {}, `${attack.name}: and was served each time`)
    t.ok(peak < RSS_MAX_MB, `${attack.name}: ${Math.round(peak)} MB`)
    rows.push(
      [
        attack.name.padEnd(42),
        ...[max_ms, late_p99_ms, p99_ms, peak].map(figure => String(Math.round(figure)).padStart(7)),
        `${Object.values(errors).reduce((a, b) => a + b, 0)}/${calls}`.padStart(9),
        ` ${JSON.stringify(answers)}`
      ].join(' ')
    )
    if (!FIGURES) continue
    t.ok(max_ms < STALL_MAX_MS, `${attack.name}: the loop stood still for ${Math.round(max_ms)} ms`)
    t.ok(late_p99_ms <= STALL_P99_MS, `${attack.name}: its delay is ${Math.round(late_p99_ms)} ms at p99`)
  }
  t.comment(`${'attack'.padEnd(42)} max ms  p99 ms  honest  RSS MB  errors`)
  for (const row of rows) t.comment(row)
  await until('nothing is held for requests that are over', async () => (await held()).length === 0, 10_000).catch(
    () => {}
  )
  t.same(await held(), [], 'nothing is held for requests that are over')
}
