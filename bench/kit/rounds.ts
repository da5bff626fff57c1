import { cpuOf, cpuOfPostgres } from './cpu.js'
import type { Bench } from './bench.js'
import type { Service } from './service.js'

/** One of the alternatives that a measure compares. */
export interface Side {
  name: string
  round: () => Promise<Round>
}

export interface Round {
  /** Successes per second. */
  rate: number
  p50_ms?: number
  p99_ms?: number
  /** CPU time of one request, in microseconds; `service` is that of all its processes. */
  cpu?: { service: number; processes: number; postgres: number; load: number }
}

/**
 * A side that runs a plan against services. Each round waits for the background work that it has caused, which would
 * otherwise slow down the next round.
 */
export function loadSide(bench: Bench, name: string, plan: string, services: Service[]): Side {
  return {
    name,
    async round() {
      const cpu = () => ({
        service: sum(services.map(({ pid }) => cpuOf(pid))),
        postgres: cpuOfPostgres(bench.postgres.pid)
      })
      const before = cpu()
      const { ok, late, seconds, p50_ms, p99_ms, cpu_ms } = await bench.load.run(plan, bench.seconds)
      for (const service of services) await service.settle()
      // Background work is part of the cost.
      const after = cpu()
      const each = (from: number | undefined, to: number | undefined) =>
        from === undefined || to === undefined ? NaN : ((to - from) * 1000) / (ok + late)
      bench.answered.set(plan, (bench.answered.get(plan) ?? 0) + ok + late)
      return {
        rate: ok / seconds,
        p50_ms,
        p99_ms,
        cpu: {
          service: each(before.service, after.service),
          processes: services.length,
          postgres: each(before.postgres, after.postgres),
          load: (cpu_ms * 1000) / (ok + late)
        }
      }
    }
  }
}

function sum(values: Array<number | undefined>): number | undefined {
  return values.reduce((all, value) => (all === undefined || value === undefined ? undefined : all + value), 0)
}

export type Measured = Map<string, Round[]>

/** Runs each side once to warm up, then all in turns. Each side goes first equally often. */
export async function alternate(bench: Bench, sides: Side[]): Promise<Measured> {
  const measured: Measured = new Map(sides.map(({ name }) => [name, []]))
  for (const side of sides) await side.round()
  for (let round = 0; round < bench.rounds; round++) {
    const turn = sides.map((_, i) => sides[(i + round) % sides.length] as Side)
    for (const side of turn) measured.get(side.name)?.push(await side.round())
    bench.say(
      `  ${sides.map(({ name }) => `${name} ${Math.round(measured.get(name)?.at(-1)?.rate ?? 0)}/s`).join(', ')}`
    )
  }
  return measured
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

export interface Ratio {
  median: number
  least: number
  most: number
}

/** Compares the sides round by round: both sides of a round ran under the same conditions. */
export function ratio(measured: Measured, a: string, b: string): Ratio {
  const over = measured.get(b) as Round[]
  const ratios = (measured.get(a) as Round[]).map(({ rate }, i) => rate / (over[i] as Round).rate)
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) }
}

export function rate(measured: Measured, name: string): number {
  return median((measured.get(name) as Round[]).map(({ rate }) => rate))
}
