import type { Found } from '../measure.js'

/** One way of finding messages in the session under test. */
export interface Searcher {
  name: string
  /**
   * Of how many queries it takes its turn: 1 for every, 5 for every fifth, 0 for none, where it would not end in
   * bounded time.
   */
  every: (size: number) => number
  find: (query: string) => Promise<Found>
}
