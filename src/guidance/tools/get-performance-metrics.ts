import { Type } from '@sinclair/typebox'
import { needOperator } from '../../agents/whole-workspace.js'
import { ObjectOf } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { databaseSize } from '../store/figures.js'
import { Time } from '../../kernel/answer-shapes.js'
import { input, output } from '../../kernel/shapes.js'
import type { About } from '../../kernel/about.js'
import type { Metrics } from '../../kernel/metrics.js'
import { latencies, Latencies } from '../latencies.js'
import type { PoolState } from '../../postgres/connect.js'

export const getPerformanceMetrics = (about: About, metrics: Metrics, pool: () => PoolState) =>
  defineTool({
    name: 'get_performance_metrics',
    title: 'Figures of the server',
    description:
      'For the operator, with the shared ADMIN_API_KEY: what this replica has served since it started, how long it ' +
      'took, its connection pool, and the size of the database. Admins of a workspace are refused.',
    permission: 'admin',
    effect: 'reads',
    commits: 'transaction',
    input: input({}),
    output: output({
      replica: Type.String({ description: 'The replica that answered; counts and latencies are its own' }),
      version: Type.String(),
      started_at: Time,
      uptime_seconds: Type.Number(),
      pool: Type.Object({ total: Type.Integer(), idle: Type.Integer(), waiting: Type.Integer(), max: Type.Integer() }),
      tools: Type.Array(
        Type.Object({
          tool: Type.String(),
          success: Type.Integer(),
          error: Type.Integer(),
          ...Latencies
        })
      ),
      database: Type.Object({
        size_bytes: Type.Integer(),
        estimated_rows: ObjectOf(Type.Number(), { description: 'As of the last analysis by PostgreSQL' })
      }),
      process: Type.Object({ resident_bytes: Type.Integer(), heap_used_bytes: Type.Integer() })
    }),
    audit: () => ({ event_type: 'metrics_read' }),
    async handler(_input, { db, agent }) {
      needOperator(agent, 'These figures')
      const [calls, size] = await Promise.all([metrics.calls(), databaseSize(db)])
      const memory = process.memoryUsage()
      return {
        replica: about.replica,
        version: about.version,
        started_at: about.started_at.toISOString(),
        uptime_seconds: Math.round((Date.now() - about.started_at.getTime()) / 100) / 10,
        pool: pool(),
        tools: [...calls].map(([tool, of]) => ({ tool, success: of.success, error: of.error, ...latencies(of) })),
        database: { size_bytes: size.bytes, estimated_rows: size.rows },
        process: { resident_bytes: memory.rss, heap_used_bytes: memory.heapUsed }
      }
    }
  })
