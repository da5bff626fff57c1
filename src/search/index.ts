import fp from 'fastify-plugin'
import { addGauge } from '../kernel/metrics.js'
import { acrossWorkspaces } from '../postgres/scope.js'
import { pendingCount } from './fill.js'
import { searchBySender } from './tools/search-by-sender.js'
import { searchByTimerange } from './tools/search-by-timerange.js'
import { searchContext } from './tools/search-context.js'
import { searchMemory } from './tools/search-memory.js'
import { createSearchLimit } from './search-limit.js'
import { indexContinuously } from './worker.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Messages that the search index does not hold yet, in the whole service, as far as they are counted. */
    searchWaiting: () => Promise<number>
  }
}

/** Messages that wait for the search index are counted up to here. */
const WAITING_COUNTED_MAX = 100_000

/** Search, and the index of terms that it goes through. */
export const searchPlugin = fp(
  async (app, { database_pool_max }: { database_pool_max: number }) => {
    const { db, watch } = app.database
    const limitSearch = createSearchLimit(Math.max(1, Math.floor(database_pool_max / 2)), app.kernel.owners)
    app.addTool(searchContext(limitSearch))
    app.addTool(searchMemory(limitSearch))
    app.addTool(searchBySender)
    app.addTool(searchByTimerange)
    app.decorate('searchWaiting', () => pendingCount(acrossWorkspaces(watch), undefined, WAITING_COUNTED_MAX))
    addGauge(
      app.metrics,
      'search_index_waiting',
      'Messages written that the search index does not hold yet, in the whole service; counted up to 100000.',
      app.searchWaiting
    )
    let indexing: ReturnType<typeof indexContinuously> | undefined
    app.addHook('onReady', async () => {
      indexing = indexContinuously(acrossWorkspaces(db), error => {
        app.logFault(error, 'search index not filled')
      })
    })
    app.addHook('onClose', () => indexing?.close())
  },
  { name: 'search', dependencies: ['kernel', 'postgres', 'messages'] }
)
