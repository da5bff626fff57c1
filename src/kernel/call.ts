import type { Agent } from './agent.js'
import { authorize, explain, refuse } from './authorize.js'
import type { Caller } from './caller.js'
import { AppError, type ErrorBody, errorBody } from './errors.js'
import type { Kernel, RegisteredTool } from './kernel.js'
import { messagesTo } from './delivered.js'
import type { TextArgument } from './text-arguments.js'
import type { Span } from './tracing.js'
import { execute } from './execute.js'
import { knownName } from './names.js'
import type { Tool } from './tool.js'

/** How a call ended. Each front turns it into its own protocol's words and decides nothing. */
export type Outcome =
  { ok: true; body: Record<string, unknown> & { success: true } } | { ok: false; error: AppError; body: ErrorBody }

/**
 * Runs a call: authorize → accept → execute → observe, exactly once, whichever front it came by and whatever
 * happens.
 * @returns the outcome, which says TOOL_NOT_FOUND for an unknown name; never throws
 */
export async function callTool(name: string, raw: unknown, caller: Caller, kernel: Kernel): Promise<Outcome> {
  const found = kernel.find(name)
  if (found === undefined) return failed(toolNotFound(), caller)
  const call = new ToolCall(found, caller, kernel)
  return (await call.authorize(raw)) ?? call.run(raw, warnings => found.accept(raw, warnings))
}

export function toolNotFound(): AppError {
  return new AppError('TOOL_NOT_FOUND', 'There is no tool of that name.')
}

function failed(error: AppError, caller: Pick<Caller, 'request_id'>): Outcome {
  return { ok: false, error, body: errorBody(error, caller.request_id) }
}

type Input = Record<string, unknown> & { idempotency_key?: string }

/** One call in its two steps, for a front that checks the arguments between them. */
export class ToolCall {
  private readonly started = performance.now()
  private readonly tool: Tool
  private readonly agents: readonly string[]
  private readonly texts: readonly TextArgument[]
  private readonly caller: Caller
  private readonly kernel: Kernel
  private readonly span: Span | undefined
  private agent: Agent | null = null

  constructor({ tool, agents, texts }: RegisteredTool, caller: Caller, kernel: Kernel) {
    this.tool = tool
    this.agents = agents
    this.texts = texts
    this.caller = caller
    this.kernel = kernel
    const { front, request_id, trace } = caller
    this.span = kernel.ports.tracing?.call(
      tool.name,
      { 'scs.tool': tool.name, 'scs.front': front, 'scs.request_id': request_id },
      trace
    )
  }

  /** @returns how the call ended, if the caller may not make it */
  async authorize(raw: unknown): Promise<Outcome | undefined> {
    return this.within(async () => {
      const { agent, refusal } = await authorize(this.tool, this.caller, this.kernel, raw)
      this.agent = agent
      return refusal === undefined ? undefined : this.end(failed(refusal, this.caller), raw)
    })
  }

  /**
   * Runs the call of an authorized caller.
   * @param accept returns the checked arguments, or throws; if it is given `warnings`, the check is lenient
   */
  async run(raw: unknown, accept: (warnings?: string[]) => Record<string, unknown>): Promise<Outcome> {
    return this.within(() => this.perform(raw, accept))
  }

  private within<T>(work: () => T): T {
    return this.span === undefined ? work() : this.span.within(work)
  }

  private async perform(raw: unknown, accept: (warnings?: string[]) => Record<string, unknown>): Promise<Outcome> {
    const { tool, caller, kernel, agent } = this
    // Clients of MCP add arguments of their own to every call.
    const warnings: string[] | undefined = caller.front === 'mcp' ? [] : undefined
    try {
      const accepted = accept(warnings)
      // Before anything else sees the arguments: what is masked is stored, indexed, told and audited nowhere.
      const redacted = kernel.ports.redact?.(accepted, this.texts)
      const { idempotency_key, ...input } = (redacted?.input ?? accepted) as Input
      if (agent !== null)
        for (const name of this.agents)
          if (typeof input[name] === 'string')
            input[name] = await knownName(agent.workspace, input[name], kernel.ports.isStoredAgent)
      const limit_ms = kernel.request_timeout_ms + (tool.waits_ms?.(input) ?? 0)
      const execution = execute(tool, input, idempotency_key, agent, caller, kernel, redacted?.audit)
      const body = await inTime(execution, limit_ms, late => {
        explain(late, caller, kernel)
      })
      const own = Array.isArray(body.warnings) ? (body.warnings as string[]) : []
      const all = [...own, ...(warnings ?? []), ...(redacted?.warnings ?? [])]
      const warned = all.length > 0 && { warnings: all }
      return this.end({ ok: true, body: { success: true, ...body, ...warned } }, raw)
    } catch (thrown) {
      return this.end(failed(await refuse(thrown, tool.name, agent, caller, kernel, raw), caller), raw)
    }
  }

  /** Counts and logs the call. Every call ends here, once. */
  private end(outcome: Outcome, raw: unknown): Outcome {
    observe(this.tool, this.agent, this.caller, this.kernel, outcome, performance.now() - this.started, raw)
    // Not who called: the line of the log says that, which has the same ids.
    this.span?.end(undefined, outcome.ok ? undefined : outcome.error.code)
    return outcome
  }
}

/** Counts and logs a call that its front refused for its credentials before the arguments were read. */
export function observeRefusal(name: string, error: AppError, caller: Caller, kernel: Kernel): void {
  const tool = kernel.find(name)?.tool
  if (tool !== undefined) observe(tool, null, caller, kernel, failed(error, caller), 0)
}

/** The call goes on in the background when its time is up: what it has sent to the database may still commit. */
async function inTime<T>(call: Promise<T>, limit_ms: number, onLateFault: (error: unknown) => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let answered = false
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      answered = true
      const error = 'The call took longer than the server allows; whether it took effect is not known.'
      reject(new AppError('SERVICE_UNAVAILABLE', error))
    }, limit_ms)
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
    // Only the log learns how it ends.
    call.catch((error: unknown) => {
      if (answered) onLateFault(error)
    })
  }
}

function observe(
  tool: Tool,
  agent: Agent | null,
  caller: Caller,
  kernel: Kernel,
  outcome: Outcome,
  ms: number,
  raw?: unknown
): void {
  kernel.metrics.observeCall(tool.name, ms / 1000, outcome.ok ? undefined : outcome.error.code)
  if (agent !== null) {
    kernel.ports.noteSeen(agent, sessionOf(tool, raw, outcome))
    const delivered = outcome.ok ? messagesTo(agent, outcome.body) : []
    if (delivered.length > 0) kernel.ports.noteDelivered(agent, delivered)
  }
  kernel.log.info(
    {
      request_id: caller.request_id,
      tool: tool.name,
      front: caller.front,
      agent_id: agent?.agent_id,
      code: outcome.ok ? undefined : outcome.error.code,
      ms: Math.round(ms * 100) / 100
    },
    'call'
  )
}

/**
 * The session in which the call was made, for the list of participants. An administrator who reads the audit log of a
 * session does not take part in it.
 */
function sessionOf(tool: Tool, raw: unknown, outcome: Outcome): string | undefined {
  if (!outcome.ok || tool.permission === 'admin') return undefined
  const { session_id, message } = outcome.body as { session_id?: unknown; message?: { session_id?: unknown } }
  const id = session_id ?? message?.session_id ?? (raw as { session_id?: unknown } | null | undefined)?.session_id
  return typeof id === 'string' && id !== '' ? id : undefined
}
