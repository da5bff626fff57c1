import { type Accept, compileAccept } from './accept.js'
import type { Log } from './log.js'
import type { Metrics } from './metrics.js'
import { agentArguments } from './names.js'
import type { Ports } from './ports.js'
import { RecentOwners } from './recent-owners.js'
import { type TextArgument, textArguments } from './text-arguments.js'
import type { Tool } from './tool.js'

/** A tool with its input check, compiled once. */
export interface RegisteredTool {
  tool: Tool
  accept: Accept<Record<string, unknown>>
  /** Its arguments that name agents. */
  agents: readonly string[]
  /** Its arguments that hold what an agent writes; none of a tool that only reads. */
  texts: readonly TextArgument[]
  /** The capability that it belongs to: the name of the plugin that added it. */
  capability: string
}

export interface KernelOptions {
  log: Log
  metrics: Metrics
  /** Milliseconds a call may take before the kernel answers SERVICE_UNAVAILABLE. */
  request_timeout_ms: number
}

/** The tools of the service, and what is needed to run them. */
export class Kernel {
  readonly log: Log
  readonly metrics: Metrics
  readonly request_timeout_ms: number
  /** Who has called lately. */
  readonly owners = new RecentOwners()
  private readonly registered = new Map<string, RegisteredTool>()
  private readonly provided: Partial<Ports> = {}

  constructor({ log, metrics, request_timeout_ms }: KernelOptions) {
    this.log = log
    this.metrics = metrics
    this.request_timeout_ms = request_timeout_ms
  }

  /** All tools, in the order in which they were added. Clients see them in this order. */
  get tools(): readonly Tool[] {
    return [...this.registered.values()].map(({ tool }) => tool)
  }

  /** All tools with what is known of them, in the same order. */
  get described(): readonly RegisteredTool[] {
    return [...this.registered.values()]
  }

  find(name: string): RegisteredTool | undefined {
    return this.registered.get(name)
  }

  /** @throws Error for a second tool of the same name */
  addTool(tool: Tool, capability: string): void {
    if (this.registered.has(tool.name)) throw new Error(`There are two tools named ${tool.name}.`)
    this.metrics.expectTool(tool.name)
    this.registered.set(tool.name, {
      tool,
      accept: compileAccept(tool.input),
      agents: agentArguments(tool.input),
      texts: tool.effect === 'reads' ? [] : textArguments(tool.input),
      capability
    })
  }

  provide(ports: Partial<Ports>): void {
    Object.assign(this.provided, ports)
  }

  /** Whoever calls a port before its plugin has provided it gets a TypeError; all are there once the app is built. */
  get ports(): Ports {
    return this.provided as Ports
  }
}
