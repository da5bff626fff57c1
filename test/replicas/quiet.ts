import { until } from '../support/rest.js'
import type { Fleet, Level } from './fleet.js'

/** What a replica holds for its clients: nought when they are gone. */
const HELD = [
  'waiters',
  'followers',
  'followed_sessions',
  'event_streams_open',
  'http_requests_in_flight',
  'database_pool_waiting'
]

/** Waits until no replica holds anything for a client. @returns what each of them still needs */
export async function settle(fleet: Fleet): Promise<Level[]> {
  return Promise.all(
    fleet.urls.map(async (_, replica) => {
      let held: Record<string, number> = {}
      const look = async () => {
        const values = await Promise.all(HELD.map(async name => [name, await fleet.gauge(replica, name)] as const))
        held = Object.fromEntries(values.filter(([, value]) => value > 0))
        return Object.keys(held).length === 0
      }
      await until('nothing is held', look).catch(() => {
        throw new Error(`Replica ${replica} still holds ${JSON.stringify(held)}`)
      })
      return fleet.level(replica)
    })
  )
}
