import { type Caller, callTool, getJson, NoAnswer, ToolFailure } from './call.js'
import { type Finding, fault, fine } from './finding.js'

/** Milliseconds for each answer. */
const LIMIT_MS = 5000
/** Seconds by which clocks may differ: below that, no expiry is far off. */
const CLOCK_MAX_S = 60

/** Asks the server how it is, and compares its version with this program's. */
export async function examineServer(url: string, own_version: string): Promise<Finding[]> {
  try {
    const { status, body } = await getJson(`${url}/health`, LIMIT_MS)
    const { status: state, version, reason } = body
    if (typeof version !== 'string' || typeof state !== 'string')
      return [fault('server', 'What answers there is no shared-context-server.', 'Check the address in --url.')]
    return [
      fine('server', `shared-context-server ${version} answers`),
      status === 200
        ? fine('database', 'ready')
        : fault('database', `The server is not ready: ${String(reason)}.`, 'Look into its log, and at its database.'),
      compareVersions(version, own_version)
    ]
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    return [
      fault('server', `The server gives no answer to /health (${error.message}).`, 'Check the address in --url, and its log.')
    ]
  }
}

/** Of two releases with the same first number, each understands the other (docs/semantics.md). */
function compareVersions(server: string, own: string): Finding {
  const [first] = server.split('.')
  const [mine] = own.split('.')
  if (server === own) return fine('version', `both are ${own}`)
  if (first === mine) return fine('version', `the server is ${server}, this program ${own}: they fit`)
  return Number(first) > Number(mine)
    ? fault('version', `The server is ${server}, this program ${own}.`, 'Install the newer program.')
    : fault('version', `The server is ${server}, this program ${own}.`, 'Upgrade the server (docs/operations.md).')
}

/** Finds out who a key makes of a caller. @returns also the agent_id, if the key is good */
export async function examineKey(caller: Caller): Promise<Finding[]> {
  try {
    const { agent_info } = await callTool(caller, 'get_usage_guidance', {}, LIMIT_MS)
    const { agent_id, agent_type, permissions } = Object(agent_info) as Record<string, unknown>
    if (typeof agent_id !== 'string')
      return [fault('key', 'The server takes no keys, or not this one.', 'Give the key that the server has.')]
    const { token, issued_at } = await callTool(
      { ...caller, agent_id },
      'authenticate_agent',
      { agent_id, agent_type, api_key: caller.api_key, requested_permissions: ['read'], expires_in: 60 },
      LIMIT_MS
    )
    const now_ms = Date.now()
    const list = Array.isArray(permissions) ? permissions.join(', ') : ''
    return [
      fine('key', 'the server takes it'),
      fine('agent', `${agent_id} (${String(agent_type)})`),
      fine('workspace', workspaceOf(String(token))),
      list.includes('write')
        ? fine('permissions', list)
        : fault('permissions', `The key allows ${list} alone.`, 'Ask an admin for a key with write.'),
      clock(now_ms - Date.parse(String(issued_at)))
    ]
  } catch (error) {
    if (error instanceof NoAnswer) return [fault('key', `It cannot be tried: ${error.message}.`, 'Try again.')]
    if (!(error instanceof ToolFailure)) throw error
    return [fault('key', `${error.message} (${error.code})`, ADVICE[error.code] ?? 'See docs/troubleshooting.md.')]
  }
}

const ADVICE: Record<string, string> = {
  INVALID_API_KEY: 'Set SHARED_CONTEXT_API_KEY to a key of this server, or run connect again.',
  PERMISSION_DENIED: 'The key is for another agent: run connect again, or set SHARED_CONTEXT_AGENT_ID to its name.',
  AUTHENTICATION_REQUIRED: 'Say who calls: set SHARED_CONTEXT_AGENT_ID, or agent_id in the profile.',
  RATE_LIMITED: 'Wait a minute and try again.',
  DATABASE_UNAVAILABLE: 'See what is said of the database.',
  SERVICE_UNAVAILABLE: 'Try again in a minute.'
}

/** The token's own words; the signature is the server's business. */
function workspaceOf(token: string): string {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { workspace?: unknown }
    return typeof claims.workspace === 'string' ? claims.workspace : 'default'
  } catch {
    return 'unknown'
  }
}

/** @param ahead_ms how far this machine's clock is ahead of the server's */
function clock(ahead_ms: number): Finding {
  const seconds = Math.round(ahead_ms / 1000)
  const words = seconds === 0 ? 'the same' : `this machine is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`
  return Math.abs(seconds) <= CLOCK_MAX_S
    ? fine('clock', words)
    : fault('clock', `Of the clocks, ${words}.`, 'Set both by the same time server: tokens end too early or too late.')
}
