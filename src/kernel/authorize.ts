import { type Agent, agentIdFrom, type Permission } from './agent.js'
import { auditRow } from './audit-row.js'
import type { Caller } from './caller.js'
import { AppError, internalError } from './errors.js'
import type { Kernel } from './kernel.js'
import { ownerOf } from './recent-owners.js'

/** What is asked for: a tool, a stream, a list. */
export interface Action {
  /** What the audit log names as the action. */
  name: string
  permission: Permission | 'none'
  /** `own`: it looks at its own key and at no other credential. */
  credentials?: 'own'
}

/** Who calls, and why the call is refused if it is. The agent is known even if it lacks the permission. */
export interface Authorization {
  agent: Agent | null
  refusal?: AppError
}

/**
 * Decides whether a caller may do something: identify → limit → permit. Every front, stream and subscription comes
 * through here.
 * @param raw the arguments, for the audit row of a refusal
 */
export async function authorize(action: Action, caller: Caller, kernel: Kernel, raw?: unknown): Promise<Authorization> {
  let agent: Agent | null = null
  try {
    if (action.credentials !== 'own') agent = await kernel.ports.identify(caller)
    if (agent !== null) {
      kernel.owners.note(ownerOf(agent))
      await kernel.ports.countCall(agent, caller.onRateLimit)
    }
    permit(action, agent)
    return { agent }
  } catch (thrown) {
    return { agent, refusal: await refuse(thrown, action.name, agent, caller, kernel, raw) }
  }
}

/**
 * Turns anything that was thrown on the way of a call into what the caller is told. Audits a refused credential or
 * permission, and delays the answer to a wrong credential.
 */
export async function refuse(
  thrown: unknown,
  action: string,
  agent: Agent | null,
  caller: Caller,
  kernel: Kernel,
  raw?: unknown
): Promise<AppError> {
  const error = nameVariable(explain(thrown, caller, kernel), caller, raw)
  auditRefusal(error, action, agent, caller, kernel, raw)
  return kernel.ports.throttleFailedAuth(error, caller)
}

/** Any thrown thing → what the caller is told. Logs a fault of the program with its stack. */
export function explain(thrown: unknown, caller: Pick<Caller, 'request_id'>, kernel: Kernel): AppError {
  if (thrown instanceof AppError) return thrown
  const known = kernel.ports.explainFault(thrown)
  const { request_id } = caller
  if (known !== undefined) {
    kernel.ports.logFault(thrown, known.code, { request_id })
    return known
  }
  kernel.log.error({ request_id, err: kernel.ports.loggableFault(thrown) }, 'internal error')
  return internalError(thrown)
}

/** What configurations of clients mean to have replaced: `${KEY}`, `{env:KEY}`, `$KEY`. */
const NAME = '([A-Za-z_]\\w{0,60})'
const VARIABLE = new RegExp(
  `\\$\\{(?:env:)?${NAME}(?:[:?+=-][^}]{0,200})?\\}|\\{env:${NAME}\\}|^(?:Bearer +)?\\$${NAME} *$`,
  'i'
)

/** The refusal of a key or token that is the name of a variable says so; any other error is as it was. */
function nameVariable(error: AppError, { credentials }: Caller, raw: unknown): AppError {
  if (error.code !== 'INVALID_API_KEY' && error.code !== 'INVALID_TOKEN') return error
  const { authorization, auth_token, api_key } = credentials
  const argument = (raw as { api_key?: unknown } | null | undefined)?.api_key
  for (const [place, text] of Object.entries({
    'The Authorization header': authorization,
    'The argument auth_token': auth_token,
    'The X-API-Key header': api_key,
    'The argument api_key': argument
  })) {
    const [, braced, env, bare] = (typeof text === 'string' && VARIABLE.exec(text)) || []
    const name = braced ?? env ?? bare
    if (name === undefined) continue
    const written = name === braced ? `\${${name}}` : name === env ? `{env:${name}}` : `$${name}`
    return new AppError(error.code, `${place} holds ${written}, a variable that your client did not replace.`, {
      suggestions: [
        `Set the variable ${name} where your MCP client or program starts`,
        'Or write the key or token itself into the configuration of your client'
      ]
    })
  }
  return error
}

/** @throws AppError AUTHENTICATION_REQUIRED or PERMISSION_DENIED */
function permit({ name, permission }: Action, agent: Agent | null): void {
  if (permission === 'none') return
  if (agent === null) throw new AppError('AUTHENTICATION_REQUIRED', `${name} needs to know who is calling.`)
  if (!mayCall(agent, permission)) throw permissionDenied(permission, agent)
}

export function mayCall(agent: Agent, permission: Permission): boolean {
  return agent.permissions.includes(permission) || agent.permissions.includes('admin')
}

function permissionDenied(required: Permission, agent: Agent): AppError {
  return new AppError('PERMISSION_DENIED', `This needs the permission '${required}'.`, {
    context: { required_permission: required, current_permissions: agent.permissions }
  })
}

/** A caller without any credentials is a client that has not started yet: that is no refusal to audit. */
function auditRefusal(
  error: AppError,
  action: string,
  agent: Agent | null,
  caller: Caller,
  kernel: Kernel,
  raw: unknown
): void {
  if (error.code === 'AUTHENTICATION_REQUIRED' || (error.status !== 401 && error.status !== 403)) return
  const event_type = error.status === 401 ? 'credential_refused' : 'permission_denied'
  const claimed = agent === null ? claimedAgent(raw, caller) : undefined
  const metadata = { code: error.code, ...(claimed !== undefined && { claimed_agent_id: claimed }) }
  const row = auditRow({ event_type, metadata }, action, agent, caller)
  kernel.ports.auditRefusal({ ...row, workspace: error.workspace ?? row.workspace, result: 'refused' }, caller.address)
}

function claimedAgent(raw: unknown, caller: Caller): string | undefined {
  const claimed = (raw as { agent_id?: unknown } | null | undefined)?.agent_id ?? caller.credentials.agent_id
  return typeof claimed === 'string' ? agentIdFrom(claimed, '') || undefined : undefined
}
