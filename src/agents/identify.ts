import {
  AGENT_ID_MAX,
  AGENT_TYPE_MAX,
  type Agent,
  agentIdFrom,
  boundsOf,
  DEFAULT_WORKSPACE,
  PERMISSIONS
} from '../kernel/agent.js'
import { isPrefix, keyIdOf } from './api-key.js'
import type { Caller, Credentials } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { callerName, isSameName } from '../kernel/names.js'
import { boundType } from './keys.js'
import { rightsEnd, rightsEnded } from './rights.js'
import type { KeyGrant, Verifiers } from './verifiers.js'
import { characters, hasControlCharacters } from '../kernel/text.js'

/**
 * Identifies the agent by its credentials, in the order of docs/semantics.md, Identity. The first credential that is
 * present decides: if it is invalid, the call fails and the next one is not tried.
 * @returns null if there are no credentials
 * @throws AppError with one of the 401 codes
 */
export async function identify(caller: Caller, verifiers: Verifiers): Promise<Agent | null> {
  const { credentials, front } = caller
  const recent = identifiedJustNow(caller)
  if (recent !== undefined) return recent
  if (credentials.authorization !== undefined) return byAuthorization(caller, credentials.authorization, verifiers)
  if (credentials.auth_token !== undefined) return byToken(credentials.auth_token, verifiers)
  if (credentials.mcp_session?.identity) return byMcpSession(credentials.mcp_session.identity, verifiers)
  if (credentials.api_key !== undefined)
    return byGrant(caller, await grantOf(credentials.api_key, verifiers), verifiers)
  if (credentials.local !== undefined)
    return unauthenticatedAgent(verifiers, credentials.local.agent_id, credentials.local.agent_type)
  if (!verifiers.auth_enabled) {
    const agent_id = credentials.agent_id ?? agentIdFrom(credentials.client_name, 'anonymous')
    return unauthenticatedAgent(
      verifiers,
      validName(agent_id, 'X-Agent-Id', AGENT_ID_MAX),
      headerAgentType(credentials) ?? defaultAgentType(front)
    )
  }
  return null
}

/**
 * For how long the result of an identification is reused, in milliseconds. If the body takes longer to arrive, the
 * caller is identified again, because it may have lost its rights.
 */
const IDENTITY_CACHE_MS = 100

/** The result of a recent identification; undefined if there is none. */
function identifiedJustNow({ identified }: Caller): Agent | null | undefined {
  return identified !== undefined && performance.now() - identified.at < IDENTITY_CACHE_MS
    ? identified.agent
    : undefined
}

/**
 * The token or API key of an Authorization header.
 * @throws AppError INVALID_TOKEN for any other scheme
 */
export function bearer(authorization: string): string {
  const text = /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
  if (text !== undefined) return text
  throw new AppError('INVALID_TOKEN', 'The Authorization header is not of the form "Bearer <token>".')
}

/** Clients that can set no other header send an API key as bearer; it is then as if it came as X-API-Key. */
async function byAuthorization(caller: Caller, authorization: string, verifiers: Verifiers): Promise<Agent> {
  const text = bearer(authorization)
  const grant = await verifiers.keys.allows(text)
  if (grant !== undefined) return byGrant(caller, grant, verifiers)
  if (keyIdOf(text) !== undefined) throw wrongKey()
  return byToken(text, verifiers)
}

/** The API key that a caller brings in its headers, unchecked; undefined if it brings none, or a token. */
export function keyIn({ api_key, authorization }: Credentials): string | undefined {
  if (api_key !== undefined) return api_key
  const text = authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
  return text === undefined || TOKEN.test(text) ? undefined : text
}

const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/

function wrongKey(): AppError {
  return new AppError('INVALID_API_KEY', 'The API key is wrong.')
}

async function byToken(token: string, verifiers: Verifiers): Promise<Agent> {
  const claims = await verifiers.tokens.verify(token)
  const { workspace, agent_id, agent_type, permissions, jti, expires_at, mark } = claims
  const agent = {
    workspace,
    agent_id,
    agent_type,
    permissions,
    ...boundsOf(claims),
    token: { jti, expires_at, ...(mark !== undefined && { mark }) }
  }
  const reason = await rightsEnd(agent, verifiers.tokens)
  if (reason !== false) throw rightsEnded(reason)
  return agent
}

export async function byMcpSession(
  identity: NonNullable<NonNullable<Credentials['mcp_session']>['identity']>,
  verifiers: Verifiers
): Promise<Agent> {
  const options = { suggestions: ['Call authenticate_agent again in this connection'] }
  const { workspace, agent_id, agent_type, jti, expires_at } = identity
  const permissions = PERMISSIONS.filter(p => identity.permissions.includes(p))
  const agent = { workspace, agent_id, agent_type, permissions, ...boundsOf(identity), token: { jti, expires_at } }
  const reason = await rightsEnd(agent, verifiers.tokens)
  if (reason === 'token_expired')
    throw new AppError('TOKEN_EXPIRED', 'The token this connection authenticated with has expired.', options)
  // Also refuse tokens that were created with a shared key, if shared keys are turned off now.
  if (reason !== false || (!verifiers.keys.shared && agent.key_id === undefined)) {
    throw new AppError('TOKEN_REVOKED', 'The token this connection authenticated with has been revoked.', options)
  }
  return agent
}

/**
 * What an API key grants.
 * @throws AppError INVALID_API_KEY
 */
export async function grantOf(key: string, { keys }: Pick<Verifiers, 'keys'>): Promise<KeyGrant> {
  const grant = await keys.allows(key)
  if (grant === undefined) throw wrongKey()
  return grant
}

/**
 * The name of an agent that comes with a key. A key for one agent says how its name is spelt.
 * @throws AppError INVALID_INPUT for unseen characters in a new name
 */
export async function nameWithKey(
  { binding, workspace }: KeyGrant,
  agent_id: string,
  { isStoredAgent }: Pick<Verifiers, 'isStoredAgent'>,
  argument: string
): Promise<string> {
  if (binding !== undefined && isSameName(binding.agent_id, agent_id)) return binding.agent_id
  return callerName(workspace, agent_id, isStoredAgent, argument)
}

async function byGrant({ credentials, front }: Caller, grant: KeyGrant, verifiers: Verifiers): Promise<Agent> {
  const { binding } = grant
  // A key for exactly one agent identifies the caller.
  const bound_agent_id = binding === undefined || isPrefix(binding.agent_id) ? undefined : binding.agent_id
  if (credentials.agent_id === undefined && bound_agent_id === undefined && front === 'rest') {
    throw new AppError(
      'AUTHENTICATION_REQUIRED',
      'The API key came without an X-Agent-Id header, which says who is calling.',
      {
        context: { missing_header: 'X-Agent-Id' },
        suggestions: [
          'Send X-Agent-Id: <your agent id> together with the key',
          'Or call authenticate_agent and send its token as Authorization: Bearer <token>'
        ]
      }
    )
  }
  const given = validName(
    credentials.agent_id ?? bound_agent_id ?? agentIdFrom(credentials.client_name, 'mcp-client'),
    'X-Agent-Id',
    AGENT_ID_MAX
  )
  const agent_id = await nameWithKey(grant, given, verifiers, 'X-Agent-Id header')
  const agent_type = boundType(grant, agent_id, headerAgentType(credentials), defaultAgentType(front))
  const { workspace, permissions } = grant
  return { workspace, agent_id, agent_type, permissions: [...permissions], ...boundsOf(grant) }
}

function headerAgentType({ agent_type }: Credentials): string | undefined {
  return agent_type === undefined ? undefined : validName(agent_type, 'X-Agent-Type', AGENT_TYPE_MAX)
}

function defaultAgentType(front: Caller['front']): string {
  return front === 'mcp' ? 'mcp' : 'custom'
}

async function unauthenticatedAgent(
  { isStoredAgent }: Pick<Verifiers, 'isStoredAgent'>,
  name: string,
  agent_type: string
): Promise<Agent> {
  const agent_id = await callerName(DEFAULT_WORKSPACE, name, isStoredAgent, 'X-Agent-Id header')
  return { workspace: DEFAULT_WORKSPACE, agent_id, agent_type, permissions: ['read', 'write'] }
}

function validName(name: string, header: string, max_length: number): string {
  const trimmed = name.trim()
  if (trimmed === '' || characters(trimmed) > max_length || hasControlCharacters(trimmed)) {
    throw new AppError(
      'INVALID_INPUT',
      `The ${header} header must hold 1 to ${max_length} characters without control characters.`,
      {
        context: {
          argument: header,
          given: `${characters(trimmed)} characters`,
          allowed: `1 to ${max_length} characters`
        }
      }
    )
  }
  return trimmed
}
