import { withoutUnseen } from './text.js'

/** Who calls: an agent, as its credentials have shown it to be. */

export const PERMISSIONS = ['read', 'write', 'admin'] as const
export type Permission = (typeof PERMISSIONS)[number]

export interface Agent extends Bounds {
  /** The tenant everything this agent touches belongs to. */
  workspace: string
  agent_id: string
  agent_type: string
  permissions: Permission[]
  /** The token it came with, absent for API-key and stdio callers. */
  token?: { jti: string; expires_at: Date; mark?: RevocationMarker }
}

/**
 * The service does not know which tokens an outside issuer has made. To revoke those of an agent, it stores one marker
 * for the agent and refuses tokens issued before it.
 */
export interface RevocationMarker {
  id: string
  issued_at: Date
}

/** Limits of credentials beyond permissions. A refreshed token keeps them. */
export interface Bounds {
  /** Only these sessions may be seen or written in; absent: all of the workspace. */
  sessions?: readonly string[]
  /** The key of create_api_key behind the credentials. */
  key_id?: string
  /** When they end at the latest, whatever is refreshed: with their key, or where a narrowed token was told to. */
  until?: Date
  /** A token that was made narrower: it makes no keys, and tokens for its own agent alone. */
  narrowed?: true
  /** Came by the shared ADMIN_API_KEY: may name any workspace when it manages keys. */
  operator?: true
}

export const DEFAULT_WORKSPACE = 'default'

export const AGENT_ID_MAX = 100
export const AGENT_TYPE_MAX = 50

export function isAdmin(agent: Agent): boolean {
  return agent.permissions.includes('admin')
}

/** Whether an agent may see a session, and write in it, as far as its credentials go. */
export function mayEnter({ sessions }: Pick<Agent, 'sessions'>, session_id: string): boolean {
  return sessions === undefined || sessions.includes(session_id)
}

export function boundsOf({ sessions, key_id, until, narrowed, operator }: Bounds): Bounds {
  return {
    ...(sessions !== undefined && { sessions }),
    ...(key_id !== undefined && { key_id }),
    ...(until !== undefined && { until }),
    ...(narrowed === true && { narrowed }),
    ...(operator === true && { operator })
  }
}

/**
 * Bounds made narrower, never wider: what is asked for has been checked. A token of them is not the operator's any
 * more.
 */
export function narrowed(
  { operator: _, ...bounds }: Bounds,
  { sessions, until }: Pick<Bounds, 'sessions' | 'until'>
): Bounds {
  const ends = [bounds.until, until].filter(end => end !== undefined).sort((a, b) => a.getTime() - b.getTime())[0]
  return boundsOf({
    ...bounds,
    narrowed: true,
    ...(sessions !== undefined && { sessions }),
    ...(ends !== undefined && { until: ends })
  })
}

/** What permissions come to: an admin may do everything. */
export function allOf(permissions: readonly Permission[]): readonly Permission[] {
  return permissions.includes('admin') ? PERMISSIONS : permissions
}

/**
 * Granted = asked for ∩ allowed, in the fixed order of PERMISSIONS; where that is empty, ["read"] if it is allowed
 * (docs/semantics.md, Identity).
 */
export function grant(asked: readonly string[], allowed: readonly Permission[]): Permission[] {
  const granted = PERMISSIONS.filter(p => asked.includes(p) && allowed.includes(p))
  return granted.length > 0 ? granted : PERMISSIONS.filter(p => p === 'read' && allowed.includes(p))
}

/**
 * A client's own name made fit to be an agent_id: control and unseen characters out, trimmed, cut; `fallback` when
 * nothing is left.
 */
export function agentIdFrom(name: string | undefined, fallback: string): string {
  const cleaned = withoutUnseen((name ?? '').replace(/[\p{Cc}\p{Cs}]/gu, '')).trim()
  return [...cleaned].slice(0, AGENT_ID_MAX).join('').trim() || fallback
}
