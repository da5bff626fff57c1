import fp from 'fastify-plugin'
import type { About } from './about.js'
import { Kernel } from './kernel.js'
import { createMetrics, type Metrics } from './metrics.js'
import type { Tool } from './tool.js'

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
}

/** What all other plugins stand on. */
export const kernelPlugin = fp(
  async (app, { about, request_timeout_ms }: KernelPluginOptions) => {
    const metrics = createMetrics()
    const kernel = new Kernel({ log: app.log, metrics, request_timeout_ms })
    const stopping = new AbortController()
    app.decorate('about', about)
    app.decorate('metrics', metrics)
    app.decorate('kernel', kernel)
    app.decorate('addTool', (tool: Tool) => {
      kernel.addTool(tool)
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
