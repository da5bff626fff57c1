/** Who calls: an agent, as its credentials have shown it to be. */

export const PERMISSIONS = ['read', 'write', 'admin'] as const
export type Permission = (typeof PERMISSIONS)[number]

export interface Agent {
  /** The tenant everything this agent touches belongs to. */
  workspace: string
  agent_id: string
  agent_type: string
  permissions: Permission[]
  /** The API key behind it, where it is not a shared one. */
  key_id?: string
  /** The token it came with, absent for API-key and stdio callers. */
  token?: { jti: string, expires_at: Date }
}

export const DEFAULT_WORKSPACE = 'default'

export const AGENT_ID_MAX = 100
export const AGENT_TYPE_MAX = 50

export function isAdmin (agent: Agent): boolean {
  return agent.permissions.includes('admin')
}

/** Granted = asked for ∩ allowed, in the fixed order of PERMISSIONS; an empty grant is ["read"] (contract §3). */
export function grant (asked: readonly string[], allowed: readonly Permission[]): Permission[] {
  const granted = PERMISSIONS.filter(p => asked.includes(p) && allowed.includes(p))
  return granted.length > 0 ? granted : ['read']
}

/** A client's own name made fit to be an agent_id: control characters out, trimmed, cut; `fallback` when nothing is left. */
export function agentIdFrom (name: string | undefined, fallback: string): string {
  const cleaned = (name ?? '').replace(/[\p{Cc}\p{Cs}]/gu, '').trim()
  return [...cleaned].slice(0, AGENT_ID_MAX).join('').trim() || fallback
}
