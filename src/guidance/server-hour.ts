import type { Calls } from '../kernel/metrics.js'
import { latencies } from './latencies.js'
import { EVERY_MS } from './replica-samples.js'
import type { Sample } from './store/replica-figures.js'

/** A replica whose figures are older than this does not run, or does not reach the database. */
const SILENT_MS = 2.5 * EVERY_MS
const MINUTE_MS = 60_000

export interface Sums extends Calls {
  calls_per_second: number
  errors_per_second: number
}

/** Every replica with its newest figures. One that has said that it stops is left out. */
export function replicasOf(samples: readonly Sample[], now: number) {
  const last = new Map(samples.map(sample => [sample.replica, sample]))
  const running = [...last.values()].filter(({ figures }) => !figures.stopped)
  const isUp = ({ at }: Sample) => now - at <= SILENT_MS
  return running
    .filter(
      // The same machine or pod was started anew: nobody waits for the process before.
      sample => isUp(sample) || !running.some(other => isUp(other) && other.figures.name === sample.figures.name)
    )
    .map(sample => {
      const { name, version, started_at, connections, event_hints, resident_bytes } = sample.figures
      return {
        replica: name,
        version,
        started_at,
        seen_at: new Date(sample.at).toISOString(),
        is_up: isUp(sample),
        calls_per_second: sumOf([sample]).calls_per_second,
        connections,
        event_hints,
        resident_bytes
      }
    })
    .sort((a, b) => (a.replica < b.replica ? -1 : 1))
}

/** What all tools together did, minute by minute, of all replicas. @param counts which tools */
export function minutesOf(samples: readonly Sample[], counts: (tool: string) => boolean, isTimed: typeof counts) {
  const minutes = new Map<number, Sample[]>()
  for (const sample of samples) {
    const minute = Math.floor(sample.at / MINUTE_MS) * MINUTE_MS
    minutes.set(minute, [...(minutes.get(minute) ?? []), sample])
  }
  return [...minutes].map(([minute, of]) => {
    const { calls_per_second, errors_per_second } = sumOf(of, counts)
    const newest = [...new Map(of.map(sample => [sample.replica, sample.figures])).values()]
    const most = (what: (figures: Sample['figures']) => number) => Math.max(...newest.map(what))
    const together = (what: (figures: Sample['figures']) => number) => newest.reduce((sum, one) => sum + what(one), 0)
    return {
      minute: new Date(minute).toISOString(),
      replicas: newest.length,
      calls_per_second,
      errors_per_second,
      ...latencies(sumOf(of, tool => counts(tool) && isTimed(tool))),
      connections_in_use: together(({ connections }) => connections.in_use),
      calls_waiting: together(({ connections }) => connections.waiting),
      resident_bytes: together(one => one.resident_bytes),
      search_waiting: most(one => one.search_waiting),
      database_bytes: most(one => one.database_bytes)
    }
  })
}

/** Each tool that was called, the one with most calls first. */
export function toolsOf(samples: readonly Sample[]) {
  const names = new Set(samples.flatMap(({ figures }) => Object.keys(figures.calls)))
  return [...names]
    .map(tool => {
      const of = sumOf(samples, name => name === tool)
      return { tool, success: of.success, error: of.error, ...latencies(of) }
    })
    .sort((a, b) => b.success + b.error - a.success - a.error)
}

/** The calls of some samples together; the rates are those of the replicas, added. */
function sumOf(samples: readonly Sample[], counts: (tool: string) => boolean = () => true): Sums {
  const seconds = new Map<string, number>()
  for (const { replica, figures } of samples) seconds.set(replica, (seconds.get(replica) ?? 0) + figures.seconds)
  const sums: Sums = { success: 0, error: 0, within: [], calls_per_second: 0, errors_per_second: 0 }
  for (const { replica, figures } of samples) {
    for (const [tool, { success, error, within }] of Object.entries(figures.calls)) {
      if (!counts(tool)) continue
      sums.success += success
      sums.error += error
      sums.calls_per_second += (success + error) / (seconds.get(replica) as number)
      sums.errors_per_second += error / (seconds.get(replica) as number)
      within.forEach((count, i) => {
        sums.within[i] = (sums.within[i] ?? 0) + count
      })
    }
  }
  const rounded = (rate: number) => Math.round(rate * 100) / 100
  return {
    ...sums,
    calls_per_second: rounded(sums.calls_per_second),
    errors_per_second: rounded(sums.errors_per_second)
  }
}
