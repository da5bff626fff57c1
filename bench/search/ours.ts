import type { Db } from '../../src/postgres/schema.js'
import { search } from '../../src/search/search.js'
import type { Searcher } from './baselines/searcher.js'
import { TOP } from './measure.js'
import { VIEWER } from './viewer.js'

/** The least score of a result, where a caller names none (docs/semantics.md, Search). */
export const THRESHOLD = 60

/** The search of the service, called as its tool calls it. */
export function ours(db: Db, session_id: string): Searcher {
  return {
    name: 'ours',
    every: () => 1,
    async find(query) {
      const { results } = await search(
        db,
        VIEWER,
        query,
        { session_id, scope: 'all', search_metadata: true },
        THRESHOLD,
        TOP
      )
      return results.map(({ message }) => (message.session_id === session_id ? message.seq : -1))
    }
  }
}
