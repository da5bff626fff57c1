import fp from 'fastify-plugin'
import type { About } from './about.js'
import { Kernel } from './kernel.js'
import { createMetrics, type Metrics } from './metrics.js'
import type { Tool } from './tool.js'
import type { Tracing } from './tracing.js'

declare module 'fastify' {
  interface FastifyInstance {
    about: About
    metrics: Metrics
    kernel: Kernel
    /** Adds a tool: its REST route, its MCP tool, its page in the documentation. */
    addTool: (tool: Tool) => void
    /**
     * Aborted when this replica is asked to stop: waits and streams end then, and their clients come back elsewhere.
     */
    stopping: AbortSignal
    /** Says that this replica will stop. What has begun goes on. */
    stop: () => void
  }
}

export interface KernelPluginOptions {
  about: About
  request_timeout_ms: number
  tracing: Tracing | undefined
}

/** What all other plugins stand on. */
export const kernelPlugin = fp(
  async (app, { about, request_timeout_ms, tracing }: KernelPluginOptions) => {
    const metrics = createMetrics()
    const kernel = new Kernel({ log: app.log, metrics, request_timeout_ms })
    kernel.provide({ tracing })
    const stopping = new AbortController()
    app.decorate('about', about)
    app.decorate('metrics', metrics)
    app.decorate('kernel', kernel)
    app.decorate('addTool', (tool: Tool) => {
      // The names of all plugins up to the one that is being loaded; packages may come after it.
      const names = app.pluginName.split(' -> ').filter(name => !name.startsWith('@'))
      kernel.addTool(tool, names.at(-1) as string)
    })
    app.decorate('stopping', stopping.signal)
    app.decorate('stop', () => {
      stopping.abort()
    })
    // Before the server waits for the requests that are under way.
    app.addHook('preClose', async () => {
      app.stop()
    })
  },
  { name: 'kernel' }
)
