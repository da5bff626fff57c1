import { RefusedError } from '../../clients/typescript/src/index.js'
import { type Caller, clientOf, isAway, LIMIT_MS } from './call.js'
import { type Finding, fault, fine } from './finding.js'

/** Seconds by which clocks may differ: below that, no expiry is far off. */
const CLOCK_MAX_S = 60

/** Asks the server how it is, and compares its version with this program's. */
export async function examineServer(url: string, own_version: string): Promise<Finding[]> {
  try {
    const answer = await fetch(`${url}/health`, { redirect: 'manual', signal: AbortSignal.timeout(LIMIT_MS) })
    const { status: state, version, reason } = Object(await answer.json()) as Record<string, unknown>
    if (typeof version !== 'string' || typeof state !== 'string')
      return [fault('server', 'What answers there is no shared-context-server.', 'Check the address in --url.')]
    return [
      fine('server', `shared-context-server ${version} answers`),
      answer.status === 200
        ? fine('database', 'ready')
        : fault('database', `The server is not ready: ${String(reason)}.`, 'Look into its log, and at its database.'),
      compareVersions(version, own_version)
    ]
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } }
    const why =
      name === 'TimeoutError'
        ? `none in ${LIMIT_MS / 1000} s`
        : name === 'SyntaxError'
          ? 'no JSON'
          : (cause?.code ?? name)
    return [
      fault('server', `/health gives no answer of this server (${why}).`, 'Check the address in --url, and its log.')
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
    const { agent_info } = await clientOf(caller).getUsageGuidance()
    if (agent_info === null)
      return [fault('key', 'The server takes no keys, or not this one.', 'Give the key that the server has.')]
    const { agent_id, agent_type, permissions } = agent_info
    const { token, issued_at } = await clientOf({ ...caller, agent_id, agent_type }).authenticateAgent({
      ...{ agent_id, agent_type, api_key: caller.api_key },
      ...{ requested_permissions: ['read'], expires_in: 60 }
    })
    const now_ms = Date.now()
    const list = permissions.join(', ')
    return [
      fine('key', 'the server takes it'),
      fine('agent', `${agent_id} (${agent_type})`),
      fine('workspace', workspaceOf(token)),
      permissions.includes('write')
        ? fine('permissions', list)
        : fault('permissions', `The key allows ${list} alone.`, 'Ask an admin for a key with write.'),
      clock(now_ms - Date.parse(issued_at))
    ]
  } catch (error) {
    if (isAway(error)) return [fault('key', 'It cannot be tried: the server does not answer.', 'Try again.')]
    if (!(error instanceof RefusedError)) throw error
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
  const words =
    seconds === 0 ? 'the same' : `this machine is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`
  return Math.abs(seconds) <= CLOCK_MAX_S
    ? fine('clock', words)
    : fault('clock', `Of the clocks, ${words}.`, 'Set both by the same time server: tokens end too early or too late.')
}
