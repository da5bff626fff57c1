import { availableParallelism } from 'node:os'
import type { Finding, Row } from './bench.js'
import { type Measured, median, ratio, rate, type Round } from './rounds.js'
import { table } from '../search/table.js'

/** The row that compares two sides of alternating rounds. */
export function ratioRow(measure: string, measured: Measured, a: string, b: string, bar?: number): Row {
  const of = ratio(measured, a, b)
  return {
    measure,
    a: `${a}: ${perSecond(rate(measured, a))}`,
    b: `${b}: ${perSecond(rate(measured, b))}`,
    ratio: of.median.toFixed(2),
    spread: `${of.least.toFixed(2)}–${of.most.toFixed(2)}`,
    by_cpu: byCpu(measured, a, b),
    bar: bar === undefined ? '' : `≥ ${bar}`,
    verdict: bar === undefined ? '–' : of.median >= bar ? 'pass' : 'FAIL'
  }
}

/**
 * The ratio of CPU times, which other programs on the machine disturb less than rates. The slowest part decides: a
 * process of the service, which does nearly everything in one thread; the load generator; or all together on the
 * machine's cores.
 */
function byCpu(measured: Measured, a: string, b: string): string {
  const slowest = (name: string) =>
    median(
      (measured.get(name) ?? []).map(({ cpu }) =>
        cpu === undefined
          ? NaN
          : Math.max(
              cpu.service / cpu.processes,
              cpu.load,
              (cpu.service + cpu.postgres + cpu.load) / availableParallelism()
            )
      )
    )
  const of = slowest(b) / slowest(a)
  return Number.isNaN(of) ? '' : of.toFixed(2)
}

export const perSecond = (rate: number) => `${Math.round(rate)}/s`

/** A line for each side: its slowest and fastest round, latencies and CPU times. */
export function sideNotes(measured: Measured): string[] {
  return [...measured].map(([name, rounds]) => {
    const of = (pick: (round: Round) => number | undefined) => median(rounds.map(round => pick(round) ?? NaN))
    const rates = rounds.map(({ rate }) => rate)
    const latency =
      rounds[0]?.p50_ms === undefined
        ? ''
        : `, p50 ${of(round => round.p50_ms).toFixed(1)} ms, p99 ${of(round => round.p99_ms).toFixed(1)} ms`
    const cpu =
      rounds[0]?.cpu === undefined
        ? ''
        : `; CPU each: service ${micro(of(round => round.cpu?.service))}, PostgreSQL ` +
          `${micro(of(round => round.cpu?.postgres))}, load ${micro(of(round => round.cpu?.load))}`
    return `${name}: ${perSecond(Math.min(...rates))}–${perSecond(Math.max(...rates))}${latency}${cpu}`
  })
}

const micro = (value: number) => (Number.isNaN(value) ? 'not known' : `${Math.round(value)} µs`)

export function report(findings: Finding[]): string {
  const rows = findings.flatMap(({ rows }) => rows)
  const shown = table(
    ['measure', 'A', 'B', 'ratio', 'spread', 'by CPU', 'bar', 'verdict'],
    rows.map(row => [row.measure, row.a, row.b, row.ratio, row.spread, row.by_cpu ?? '', row.bar, row.verdict])
  )
  return `${shown}\n\n${findings
    .flatMap(({ notes }) => notes)
    .map(note => `- ${note}`)
    .join('\n')}`
}
