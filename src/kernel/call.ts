import { createHash } from 'node:crypto'
import type { Db } from '../postgres/schema.js'
import { type Agent, agentIdFrom, DEFAULT_WORKSPACE, type Permission } from './agent.js'
import type { Caller } from './caller.js'
import type { Catalogue } from './catalogue.js'
import { AppError, type ErrorBody, errorBody, internalError } from './errors.js'
import { throttleFailedAuth } from '../agents/failed-auth-throttle.js'
import { identify } from '../agents/identify.js'
import { canonicalJson } from './json.js'
import type { Service } from './service.js'
import type { AuditRow, IdempotencyKey, Store } from './store.js'
import type { AuditFields, Tool, ToolContext } from './tool.js'

/**
 * The kernel: the one way a call runs, whichever front it came by.
 * identify → limit → permit → accept → run (transaction, idempotency, audit) → observe, exactly once, whatever
 * happened.
 */

export interface Log {
  info: (fields: Record<string, unknown>, message: string) => void
  warn: (fields: Record<string, unknown>, message: string) => void
  error: (fields: Record<string, unknown>, message: string) => void
}

export interface Kernel {
  service: Service
  store: Store
  catalogue: Catalogue
  log: Log
  /** Milliseconds a call may take before it is answered with SERVICE_UNAVAILABLE. */
  request_timeout_ms: number
}

/** How a call ended. Each front turns it into its own protocol's words and decides nothing. */
export type Outcome =
  { ok: true; body: Record<string, unknown> & { success: true } } | { ok: false; error: AppError; body: ErrorBody }

export async function callTool(name: string, raw: unknown, caller: Caller, kernel: Kernel): Promise<Outcome> {
  const entry = kernel.catalogue.find(name)
  if (entry === undefined) return refuse(toolNotFound(), caller)
  const started = performance.now()
  let agent: Agent | null = null
  let outcome: Outcome
  try {
    // Kept before the permission is looked at, so that a refusal is audited and counted under the agent's name.
    agent = entry.tool.credentials === 'own' ? null : await identify(caller, kernel.service)
    if (agent !== null) await kernel.service.limits.call(agent, caller.onRateLimit)
    permit(entry.tool, agent)
    const { idempotency_key, ...input } = entry.accept(raw) as Input
    const limit_ms = kernel.request_timeout_ms + (entry.tool.waits_ms?.(input) ?? 0)
    const body = await inTime(run(entry.tool, input, idempotency_key, agent, caller, kernel), limit_ms, late => {
      explain(late, caller, kernel)
    })
    outcome = { ok: true, body: { success: true, ...body } }
  } catch (thrown) {
    const error = explain(thrown, caller, kernel)
    auditRefusal(error, entry.tool.name, agent, caller, kernel, raw)
    outcome = refuse(await throttleFailedAuth(error, caller, kernel.service), caller)
  }
  observe(entry.tool, agent, caller, kernel, outcome, performance.now() - started, raw)
  return outcome
}

export function toolNotFound(): AppError {
  return new AppError('TOOL_NOT_FOUND', 'There is no tool of that name.')
}

/** The failure of something that never became a call: an unknown tool, a body that is not JSON. */
function refuse(error: AppError, caller: Pick<Caller, 'request_id'>): Outcome {
  return { ok: false, error, body: errorBody(error, caller.request_id) }
}

/**
 * A request that its front refuses before it can become a call, for its credentials: audited and, where it names a
 * tool, counted like a call.
 */
export function refuseCredentials(error: AppError, action: string, raw: unknown, caller: Caller, kernel: Kernel): void {
  const entry = kernel.catalogue.find(action)
  auditRefusal(error, action, null, caller, kernel, raw)
  if (entry !== undefined) observe(entry.tool, null, caller, kernel, refuse(error, caller), 0)
}

/**
 * Finds out who calls before the body of the call is read, and remembers it for callTool.
 * @returns what to refuse the request with, or undefined: callTool would refuse it so too
 */
export async function identifyFirst(name: string, caller: Caller, kernel: Kernel): Promise<AppError | undefined> {
  try {
    caller.identified = { agent: await identify(caller, kernel.service), at: performance.now() }
    return undefined
  } catch (thrown) {
    return refuseFirst(thrown, name, caller, kernel)
  }
}

/**
 * A credential that is refused before the body is read: audited, counted and slowed down like the refusal of a call.
 */
export async function refuseFirst(thrown: unknown, action: string, caller: Caller, kernel: Kernel): Promise<AppError> {
  const error = explain(thrown, caller, kernel)
  refuseCredentials(error, action, undefined, caller, kernel)
  return throttleFailedAuth(error, caller, kernel.service)
}

/** Any thrown thing → what the caller is told; what is ours to mend is logged with its stack. */
export function explain(
  thrown: unknown,
  caller: Pick<Caller, 'request_id'>,
  kernel: Pick<Kernel, 'store' | 'log'>
): AppError {
  if (thrown instanceof AppError) return thrown
  const known = kernel.store.explain(thrown)
  const fields = { request_id: caller.request_id, err: kernel.store.loggable(thrown) }
  if (known !== undefined) {
    kernel.log.warn(fields, known.code)
    return known
  }
  kernel.log.error(fields, 'internal error')
  return internalError(thrown)
}

/** @throws AppError AUTHENTICATION_REQUIRED or PERMISSION_DENIED */
function permit(tool: Tool, agent: Agent | null): void {
  if (tool.permission === 'none') return
  if (agent === null) {
    throw new AppError('AUTHENTICATION_REQUIRED', `${tool.name} needs to know who is calling.`)
  }
  if (!mayCall(agent, tool.permission)) throw permissionDenied(tool.permission, agent)
}

export function mayCall(agent: Agent, permission: Permission): boolean {
  return agent.permissions.includes(permission) || agent.permissions.includes('admin')
}

export function permissionDenied(required: Permission, agent: Agent): AppError {
  return new AppError('PERMISSION_DENIED', `This needs the permission '${required}'.`, {
    context: { required_permission: required, current_permissions: agent.permissions }
  })
}

type Input = Record<string, unknown> & { idempotency_key?: string }

async function run(
  tool: Tool,
  input: Record<string, unknown>,
  idempotency_key: string | undefined,
  agent: Agent | null,
  caller: Caller,
  kernel: Kernel
): Promise<Record<string, unknown>> {
  const { store, service } = kernel
  const audited: Record<string, unknown> = {}
  const key = idempotency_key === undefined || agent === null ? undefined : keyOf(idempotency_key, tool, input, agent)
  let workspace = agent?.workspace
  const enter = (tx: Db) => async (into: string) => {
    await store.enter(tx, into)
    workspace = into
  }
  const on = (db: Db): ToolContext => ({
    agent: agent as Agent,
    db,
    enter: enter(db),
    caller,
    service,
    idempotencyKey: key,
    audited
  })
  const work = async (tx: Db) => {
    const output = await tool.handler(input, on(tx))
    const fields = tool.commits === 'transaction' ? tool.audit?.(input, output) : undefined
    if (fields === undefined) return output
    if (workspace === undefined) await enter(tx)(DEFAULT_WORKSPACE)
    await store.audit(tx, {
      ...auditRow({ ...fields, metadata: { ...fields.metadata, ...audited } }, tool.name, agent, caller),
      workspace: workspace as string
    })
    return output
  }
  // Only here has everything been committed; a hint that came earlier would have others read too early.
  const committed = (output: Record<string, unknown>) => {
    if (tool.affectedTopics !== undefined)
      service.events.publish(tool.affectedTopics(input, output, { agent: agent, caller }))
    return output
  }

  if (key !== undefined && tool.commits !== 'batch') {
    const { output, repeated } = await store.transaction(agent?.workspace, async tx => {
      const first = await store.claim(tx, key)
      if (first !== undefined) return { output: first, repeated: true }
      const output = await work(tx)
      await store.settle(tx, key, output)
      return { output, repeated: false }
    })
    return repeated ? output : committed(output)
  }
  if (tool.commits === 'transaction') return committed(await store.transaction(agent?.workspace, work))
  return committed(await tool.handler(input, on(store.in(agent?.workspace))))
}

export function auditRow(
  fields: AuditFields,
  action: string,
  agent: Agent | null,
  caller: Pick<Caller, 'request_id'>
): AuditRow {
  return {
    workspace: agent?.workspace ?? DEFAULT_WORKSPACE,
    event_type: fields.event_type,
    agent_id: fields.agent_id ?? agent?.agent_id ?? null,
    session_id: fields.session_id ?? null,
    action,
    resource: fields.resource ?? null,
    result: 'success',
    request_id: caller.request_id,
    metadata: fields.metadata ?? {}
  }
}

/**
 * A refused credential or permission leaves an audit row. No credentials at all is a client that has not started yet,
 * not a refusal.
 */
export function auditRefusal(
  error: AppError,
  action: string,
  agent: Agent | null,
  caller: Caller,
  kernel: Pick<Kernel, 'store'>,
  raw?: unknown
): void {
  if (error.code === 'AUTHENTICATION_REQUIRED' || (error.status !== 401 && error.status !== 403)) return
  const event_type = error.status === 401 ? 'credential_refused' : 'permission_denied'
  const claimed = agent === null ? claimedAgent(raw, caller) : undefined
  const metadata = { code: error.code, ...(claimed !== undefined && { claimed_agent_id: claimed }) }
  const row = auditRow({ event_type, metadata }, action, agent, caller)
  kernel.store.auditRefusal({ ...row, workspace: error.workspace ?? row.workspace, result: 'refused' }, caller.address)
}

function claimedAgent(raw: unknown, caller: Caller): string | undefined {
  const claimed = (raw as { agent_id?: unknown } | null | undefined)?.agent_id ?? caller.credentials.agent_id
  return typeof claimed === 'string' ? agentIdFrom(claimed, '') || undefined : undefined
}

/** What makes two requests the same. The caller's rights are part of it: an answer may hold what only they may see. */
function keyOf(
  key: string,
  tool: Tool,
  input: Record<string, unknown>,
  { workspace, agent_id, agent_type, permissions, sessions }: Agent
): IdempotencyKey {
  const rights = [agent_type, permissions, ...(sessions === undefined ? [] : [[...sessions].sort()])]
  return {
    workspace,
    agent_id,
    key,
    request_hash: createHash('sha256')
      .update(canonicalJson([tool.name, ...rights, input]))
      .digest()
  }
}

/** The call goes on in the background when its time is up: what it has sent to the database may still commit. */
async function inTime<T>(call: Promise<T>, limit_ms: number, onLateFault: (error: unknown) => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let answered = false
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      answered = true
      reject(
        new AppError(
          'SERVICE_UNAVAILABLE',
          'The call took longer than the server allows; whether it took effect is not known.'
        )
      )
    }, limit_ms)
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
    // Nobody is told any more how it ends, but the log.
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
  kernel.service.metrics.observeCall(tool.name, outcome.ok ? 'success' : 'error', ms / 1000)
  if (agent !== null) kernel.store.seen(agent, sessionOf(tool, raw, outcome))
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
 * The session that a call has been in, if any: who takes part is told from this. An administrator who reads the audit
 * of one is not in it.
 */
function sessionOf(tool: Tool, raw: unknown, outcome: Outcome): string | undefined {
  if (!outcome.ok || tool.permission === 'admin') return undefined
  const { session_id, message } = outcome.body as { session_id?: unknown; message?: { session_id?: unknown } }
  const id = session_id ?? message?.session_id ?? (raw as { session_id?: unknown } | null | undefined)?.session_id
  return typeof id === 'string' ? id : undefined
}
