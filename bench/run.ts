/**
 * `npm run bench`: measures against each other what should be near to each other, prints a table of ratios, and writes
 * it to results.md. README.md says what each is.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { begin, endWith } from './kit/begin.js'
import type { Bench, Finding } from './kit/bench.js'
import { createCleanup } from './kit/cleanup.js'
import { ROOT } from './kit/program.js'
import { report } from './kit/report.js'
import { measures } from './measures/index.js'
import { writeSection } from './search/report-file.js'

const { values: flags } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    old: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' }
  }
})
const { full } = flags
const rounds = Number(flags.rounds ?? (full ? 7 : 5))
const seconds = Number(flags.seconds ?? (full ? 4 : 1))
if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 99)) throw new Error('--rounds is a number from 1 to 99.')
if (!(seconds > 0 && seconds <= 60)) throw new Error('--seconds is the length of a round, more than 0 and at most 60.')
const names = flags.only?.split(',').map(name => name.trim())
const unknown = names?.filter(name => !measures.some(measure => measure.name === name)) ?? []
if (unknown.length > 0)
  throw new Error(
    `There is no measure ${unknown.join(', ')}. The measures are: ${measures.map(({ name }) => name).join(', ')}.`
  )
const chosen = measures.filter(({ name }) => names?.includes(name) ?? true)

/** A run must end; what has not been measured by then is left out, and the report says so. */
const LIMIT_S = full ? 2 * 3600 : 590
const began = Date.now()
const left = () => LIMIT_S - (Date.now() - began) / 1000

const say = (text: string) => {
  console.error(text)
}
const cleanup = createCleanup()
const findings: Finding[] = []
const { ending, end } = endWith(cleanup)
const limit = setTimeout(() => {
  if (ending()) return
  say(`The time, ${LIMIT_S} s, is up.`)
  console.log(report(findings))
  void end(1)
}, LIMIT_S * 1000)

let failed = false
try {
  say('Preparing ...')
  const busy = loadavg()[0] ?? 0
  const begun = await begin(cleanup, flags.old)
  const bench: Bench = { ...begun, full, rounds, seconds, cleanup, answered: new Map(), say }

  for (const measure of chosen) {
    if (left() < measure.seconds && !full) {
      findings.push(
        nothing(measure.name, 'skipped', `not run: ${Math.round(left())} s were left, and it takes ${measure.seconds}`)
      )
      continue
    }
    const started = Date.now()
    say(`${measure.name} ...`)
    const kept = createCleanup()
    const endIt = cleanup.add(() => kept.all())
    try {
      findings.push(await measure.run({ ...bench, cleanup: kept, answered: new Map() }))
    } catch (error) {
      if (ending()) break
      failed = true
      say(String((error as Error).stack))
      findings.push(nothing(measure.name, 'ERROR', `failed: ${(error as Error).message.split('\n')[0]}`))
    }
    await endIt()
    say(`  ${Math.round((Date.now() - started) / 1000)} s`)
  }

  if (!ending()) {
    const text = `${ranOn(begun.postgres.described, busy)}\n\n${report(findings)}`
    console.log(text)
    // A part of it would leave rows of different runs in one table.
    if (names === undefined)
      await writeSection(join(import.meta.dirname, 'results.md'), full ? 'Full sizes' : 'Reduced sizes', text)
  }
} catch (error) {
  if (!ending()) {
    failed = true
    say(String((error as Error).stack))
  }
} finally {
  clearTimeout(limit)
  if (!ending()) await end(failed ? 1 : 0)
}

function nothing(measure: string, verdict: 'skipped' | 'ERROR', note: string): Finding {
  return { rows: [{ measure, a: '', b: '', ratio: '', spread: '', bar: '', verdict }], notes: [`${measure}: ${note}`] }
}

function ranOn(database: string, busy: number): string {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout?.trim() ?? ''
  const changed = git('status', '--porcelain', '--', 'src', 'migrations') === '' ? '' : ', with changes'
  const commit = git('rev-parse', '--short', 'HEAD')
  return [
    `${new Date().toISOString().slice(0, 16)}Z, ${commit === '' ? 'no git here' : `commit ${commit}${changed}`}; ${rounds} rounds of ${seconds} s.`,
    `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()}, Node ${process.version}; load average before: ${busy.toFixed(1)}. ${database}.`,
    'Load, service and database share the machine. Ratio: median over the rounds of A ÷ B in the same round; spread: least and most of them. By CPU: what the ratio would be if CPU time alone set both rates, with nothing else on the machine.'
  ].join('\n')
}
