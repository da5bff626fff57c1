import fp from 'fastify-plugin'
import { addGauge } from '../kernel/metrics.js'
import { acrossWorkspaces } from '../postgres/scope.js'
import { type Samples, sampleRegularly } from './replica-samples.js'
import { readFigures } from './store/figures.js'
import { getPerformanceMetrics } from './tools/get-performance-metrics.js'
import { getServerHealth } from './tools/get-server-health.js'
import { getUsageGuidance } from './tools/get-usage-guidance.js'
import { listWorkspaces } from './tools/list-workspaces.js'

/** What the service tells of itself: guidance for models, figures for operators. */
export const guidancePlugin = fp(
  async (app, { retention_days }: { retention_days: number }) => {
    const { about, metrics, poolState, kernel, database } = app
    app.addTool(getUsageGuidance(() => kernel.tools))
    app.addTool(getPerformanceMetrics(about, metrics, poolState))
    let samples: Samples | undefined
    app.addTool(
      getServerHealth(
        () => kernel.tools,
        async () => samples?.refresh()
      )
    )
    app.addTool(listWorkspaces(app.quotas, retention_days))
    const figures = readFigures(acrossWorkspaces(database.db))
    addGauge(
      metrics,
      'mcp_active_sessions',
      'Sessions with a message in the last hour, in the whole service.',
      async () => (await figures()).active_sessions
    )
    addGauge(
      metrics,
      'mcp_active_agents',
      'Agents that called in the last 5 minutes, in the whole service.',
      async () => (await figures()).active_agents
    )
    app.addHook('onReady', async () => {
      samples = sampleRegularly({
        db: acrossWorkspaces(database.watch),
        about,
        metrics,
        pool: poolState,
        hints: app.hintsMode,
        searchWaiting: app.searchWaiting,
        onFault: error => {
          app.logFault(error, 'figures of this replica not written')
        }
      })
    })
    app.addHook('onClose', () => samples?.close())
  },
  { name: 'guidance', dependencies: ['kernel', 'postgres', 'limits', 'feed', 'search'] }
)
