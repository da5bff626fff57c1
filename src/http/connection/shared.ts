import type { Schedule } from '../scheduler.js'
import type { Lingering } from './lingering.js'

/** What the intakes of a server have in common. */
export interface SharedByIntakes {
  lingering: Lingering
  /** Turns of all connections on which requests wait. */
  schedule: Schedule
  /** Bytes that wait on all connections. */
  waiting_bytes: number
  /** What a connection is told whose bytes are too many. */
  crowded: () => string
}
