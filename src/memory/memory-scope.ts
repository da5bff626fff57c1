import { createHash } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import type { Agent } from '../kernel/agent.js'
import { GLOBAL, type Scope } from './store/memory.js'
import type { Db } from '../postgres/schema.js'
import * as sessions from '../sessions/store/sessions.js'

export const ScopeWord = Type.Unsafe<'session' | 'global'>({ type: 'string', enum: ['session', 'global'] })

export function scopeWord(scope: Scope): 'session' | 'global' {
  return scope === GLOBAL ? 'global' : 'session'
}

/** The scope an argument names; a session must exist. @throws AppError SESSION_NOT_FOUND */
export async function scopeOf(db: Db, agent: Agent, session_id: string | undefined): Promise<Scope> {
  if (session_id === undefined) return GLOBAL
  await sessions.readSessionOrThrow(db, agent, session_id)
  return session_id
}

/** Names a key in the audit log without telling it: the beginning of its SHA-256. */
export function memoryResource(key: string): string {
  return `memory:${createHash('sha256').update(key).digest('hex').slice(0, 16)}`
}
