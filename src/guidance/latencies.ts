import { Type } from '@sinclair/typebox'
import { type Calls, quantile } from '../kernel/metrics.js'

const Ms = Type.Number({ description: 'Milliseconds' })

/** How long calls took, in answers. */
export const Latencies = { p50_ms: Ms, p95_ms: Ms, p99_ms: Ms }

export function latencies(calls: Pick<Calls, 'within'>) {
  const ms = (share: number) => Math.round(quantile(calls, share) * 100_000) / 100
  return { p50_ms: ms(0.5), p95_ms: ms(0.95), p99_ms: ms(0.99) }
}
