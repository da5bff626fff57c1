import fp from 'fastify-plugin'
import { addGauge } from '../kernel/metrics.js'
import { acrossWorkspaces } from '../postgres/scope.js'
import { readFigures } from './store/figures.js'
import { getPerformanceMetrics } from './tools/get-performance-metrics.js'
import { getUsageGuidance } from './tools/get-usage-guidance.js'

/** What the service tells of itself: guidance for models, figures for operators. */
export const guidancePlugin = fp(
  async app => {
    const { about, metrics, poolState, kernel } = app
    app.addTool(getUsageGuidance(() => kernel.tools))
    app.addTool(getPerformanceMetrics(about, metrics, poolState))
    const figures = readFigures(acrossWorkspaces(app.database.db))
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
  },
  { name: 'guidance', dependencies: ['kernel', 'postgres'] }
)
