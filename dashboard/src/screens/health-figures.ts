import type { Figures } from '../api/catalogue.js'
import type { Reading } from './health.js'

/** Calls and failed calls a second, between each reading and the one before. */
export function rates(readings: readonly Reading[]): { seconds: number[]; calls: number[]; failures: number[] } {
  const seconds: number[] = []
  const calls: number[] = []
  const failures: number[] = []
  for (let i = 1; i < readings.length; i++) {
    const before = readings[i - 1] as Reading
    const { at, figures } = readings[i] as Reading
    const passed = (at - before.at) / 1000
    const [was, is] = [sums(before.figures), sums(figures)]
    seconds.push(at / 1000)
    // A replica that has started anew counts from 0.
    calls.push(Math.max(0, is.calls - was.calls) / passed)
    failures.push(Math.max(0, is.failures - was.failures) / passed)
  }
  return { seconds, calls, failures }
}

function sums({ tools }: Figures): { calls: number; failures: number } {
  return {
    calls: tools.reduce((sum, { success, error }) => sum + success + error, 0),
    failures: tools.reduce((sum, { error }) => sum + error, 0)
  }
}

/** Share of failed calls from which on somebody should look. */
const MANY_FAILURES = 0.2
/** Calls below which a share says nothing. */
const FEW_CALLS = 50

/** What is wrong, and what to do about it. */
export function adviceFor(figures: Figures): string[] {
  const { pool } = figures
  const advice: string[] = []
  if (pool.waiting > 0 && pool.idle === 0)
    advice.push(
      `${pool.waiting} calls wait for a database connection. Raise DATABASE_POOL_MAX if PostgreSQL has room, or add a replica.`
    )
  const { calls, failures } = sums(figures)
  if (calls >= FEW_CALLS && failures / calls > MANY_FAILURES)
    advice.push(
      `${Math.round((failures / calls) * 100)} % of the calls failed. The table below says which; the log has the reasons.`
    )
  return advice
}
