import {
  AGENT_ID_MAX,
  AGENT_TYPE_MAX,
  type Agent,
  agentIdFrom,
  boundsOf,
  DEFAULT_WORKSPACE,
  type Permission,
  PERMISSIONS
} from '../kernel/agent.js'
import { isPrefix } from './api-key.js'
import type { Caller, Credentials } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { boundsOfKey, boundType } from './keys.js'
import { rightsEnd, rightsEnded } from './rights.js'
import type { KeyGrant, Verifiers } from './verifiers.js'
import { characters, hasControlCharacters } from '../kernel/text.js'

/**
 * Credentials → agent, by the order of docs/semantics.md, Identity: the first that is there decides; a bad one fails
 * and never falls through to the next.
 * @returns null where there are no credentials at all
 * @throws AppError with one of the 401 codes
 */
export async function identify(caller: Caller, verifiers: Verifiers): Promise<Agent | null> {
  const { credentials, front } = caller
  const earlier = identifiedJustNow(caller)
  if (earlier !== undefined) return earlier
  if (credentials.authorization !== undefined) return byToken(bearer(credentials.authorization), verifiers)
  if (credentials.auth_token !== undefined) return byToken(credentials.auth_token, verifiers)
  if (credentials.mcp_session?.identity) return byMcpSession(credentials.mcp_session.identity, verifiers)
  if (credentials.api_key !== undefined) return byKey(credentials, credentials.api_key, front, verifiers)
  if (credentials.local !== undefined)
    return unchecked(credentials.local.agent_id, credentials.local.agent_type, ['read', 'write'])
  if (!verifiers.auth_enabled) {
    const agent_id = credentials.agent_id ?? agentIdFrom(credentials.client_name, 'anonymous')
    return unchecked(named(agent_id, 'X-Agent-Id', AGENT_ID_MAX), givenType(credentials) ?? typeByFront(front), [
      'read',
      'write'
    ])
  }
  return null
}

/**
 * Milliseconds that a caller stays identified while its body arrives: one that takes longer may have lost its rights
 * meanwhile.
 */
const IDENTIFIED_MS = 100

/** Who the caller was found to be a moment ago; undefined where nobody has looked, or too long ago. */
export function identifiedJustNow({ identified }: Caller): Agent | null | undefined {
  return identified !== undefined && performance.now() - identified.at < IDENTIFIED_MS ? identified.agent : undefined
}

/** The token of an Authorization header. @throws AppError INVALID_TOKEN for any other scheme */
export function bearer(authorization: string): string {
  const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
  if (token === undefined) {
    throw new AppError('INVALID_TOKEN', 'The Authorization header is not of the form "Bearer <token>".')
  }
  return token
}

export async function byToken(token: string, verifiers: Verifiers): Promise<Agent> {
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
  const ended = await rightsEnd(agent, verifiers.tokens)
  if (ended !== false) throw rightsEnded(ended)
  return agent
}

export async function byMcpSession(
  identity: NonNullable<NonNullable<Credentials['mcp_session']>['identity']>,
  verifiers: Verifiers
): Promise<Agent> {
  const again = { suggestions: ['Call authenticate_agent again in this connection'] }
  const { workspace, agent_id, agent_type, jti, expires_at } = identity
  const permissions = PERMISSIONS.filter(p => identity.permissions.includes(p))
  const agent = { workspace, agent_id, agent_type, permissions, ...boundsOf(identity), token: { jti, expires_at } }
  const ended = await rightsEnd(agent, verifiers.tokens)
  if (ended === 'token_expired')
    throw new AppError('TOKEN_EXPIRED', 'The token this connection authenticated with has expired.', again)
  // One that a shared key made, before these were turned off.
  if (ended !== false || (!verifiers.keys.shared && agent.key_id === undefined)) {
    throw new AppError('TOKEN_REVOKED', 'The token this connection authenticated with has been revoked.', again)
  }
  return agent
}

/** What an API key allows. @throws AppError INVALID_API_KEY */
export async function grantOf(key: string, { keys }: Pick<Verifiers, 'keys'>): Promise<KeyGrant> {
  const allowed = await keys.allows(key)
  if (allowed === undefined) throw new AppError('INVALID_API_KEY', 'The API key is wrong.')
  return allowed
}

async function byKey(
  credentials: Credentials,
  key: string,
  front: Caller['front'],
  verifiers: Verifiers
): Promise<Agent> {
  const allowed = await grantOf(key, verifiers)
  const { binding } = allowed
  // A key for one agent says itself who is calling.
  const own = binding === undefined || isPrefix(binding.agent_id) ? undefined : binding.agent_id
  if (credentials.agent_id === undefined && own === undefined && front === 'rest') {
    throw new AppError(
      'AUTHENTICATION_REQUIRED',
      'The API key came without an X-Agent-Id header, which says who is calling.',
      {
        context: { missing_header: 'X-Agent-Id' },
        suggestions: [
          'Send X-Agent-Id: <your agent id> together with X-API-Key',
          'Or call authenticate_agent and send its token as Authorization: Bearer <token>'
        ]
      }
    )
  }
  const agent_id = named(
    credentials.agent_id ?? own ?? agentIdFrom(credentials.client_name, 'mcp-client'),
    'X-Agent-Id',
    AGENT_ID_MAX
  )
  const agent_type = boundType(allowed, agent_id, givenType(credentials), typeByFront(front))
  return {
    workspace: allowed.workspace,
    agent_id,
    agent_type,
    permissions: [...allowed.permissions],
    ...boundsOfKey(allowed)
  }
}

function givenType({ agent_type }: Credentials): string | undefined {
  return agent_type === undefined ? undefined : named(agent_type, 'X-Agent-Type', AGENT_TYPE_MAX)
}

function typeByFront(front: Caller['front']): string {
  return front === 'mcp' ? 'mcp' : 'custom'
}

function unchecked(agent_id: string, agent_type: string, permissions: Permission[]): Agent {
  return { workspace: DEFAULT_WORKSPACE, agent_id, agent_type, permissions }
}

function named(name: string, header: string, most: number): string {
  const trimmed = name.trim()
  if (trimmed === '' || characters(trimmed) > most || hasControlCharacters(trimmed)) {
    throw new AppError(
      'INVALID_INPUT',
      `The ${header} header must hold 1 to ${most} characters without control characters.`,
      {
        context: { argument: header, given: `${characters(trimmed)} characters`, allowed: `1 to ${most} characters` }
      }
    )
  }
  return trimmed
}
