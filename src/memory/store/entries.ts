import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { composed, hasUnseenCharacters } from '../../kernel/text.js'
import type { Db } from '../../postgres/schema.js'
import { withinSessions } from '../../visibility/visibility.js'

/**
 * Where a value belongs: one session, '' for the agent's global memory, or a namespace's path. There is no fall-back
 * between scopes.
 */
export type Scope = string
export const GLOBAL: Scope = ''

/** Whose memory, and which part of it. A namespace is memory of the owner of its first part. */
export interface Where {
  owner: string
  scope: Scope
}

export interface MemoryEntry {
  key: string
  session_id: Scope
  version: number
  value_size: number
  created_at: string
  updated_at: string
  updated_by: string
  expires_at: string | null
}

export type StoredValue = MemoryEntry & { value: unknown; metadata: Record<string, unknown> }

/** Expired means absent, in every read; the sweep only frees space. */
export const live = sql<boolean>`(expires_at is null or expires_at > clock_timestamp())`

/** A value's version: see migrations/0095-shared-memory.ts. */
export const versionOf = sql<number>`coalesce(agent_memory.revision, agent_memory.version)`

/**
 * How often a value was written, in the column that once was its version. A history has no more rows than that, so the
 * trigger keep_memory_history (migrations/0098) does not look for the end of a short one.
 * @param table the name of agent_memory in the statement
 */
export const writesOf = (table: string) => `least(${table}.version, 2000000000)`

export const entryColumns = [
  'key',
  'session_id',
  versionOf.as('version'),
  'value_size',
  'created_at',
  'updated_at',
  sql<string>`coalesce(agent_memory.updated_by, agent_memory.agent_id)`.as('updated_by'),
  'expires_at'
] as const

/** The same and the value, for a statement that joins the table with something. */
export const valueColumns: RawBuilder<unknown> = sql`agent_memory.key, agent_memory.session_id, ${versionOf} as version,
  agent_memory.value_size, agent_memory.created_at, agent_memory.updated_at,
  coalesce(agent_memory.updated_by, agent_memory.agent_id) as updated_by, agent_memory.expires_at, agent_memory.value,
  agent_memory.metadata`

/** Whether a value is in a namespace. */
const shared = sql<boolean>`(agent_memory.session_id >= '/' and agent_memory.session_id < '0')`

/**
 * Whether a value belongs to a deleted session that is not swept yet. (A scalar subquery, so that each row's session is
 * looked up by its key.)
 */
export const ofDeletedSession = sql<boolean>`(agent_memory.session_id <> '' and not ${shared}
  and (select true from sessions s
    where s.workspace = agent_memory.workspace and s.id = agent_memory.session_id) is null)`

/** The live values of an agent alone, in the scopes that its credentials reach. */
export function own(db: Db, agent: Agent) {
  const mine = db
    .selectFrom('agent_memory')
    .where('workspace', '=', agent.workspace)
    .where('agent_id', '=', agent.agent_id)
    .where(live)
    .where(sql<boolean>`not ${shared}`)
    .where(sql<boolean>`not ${ofDeletedSession}`)
  return agent.sessions === undefined ? mine : mine.where(withinSessions([GLOBAL, ...agent.sessions], 'session_id'))
}

/** The live values in one place. @param below with those of the namespaces below it */
export function valuesIn(db: Db, workspace: string, { owner, scope }: Where, below = false) {
  const there = db
    .selectFrom('agent_memory')
    .where('workspace', '=', workspace)
    .where('agent_id', '=', owner)
    .where(live)
    .where(sql<boolean>`not ${ofDeletedSession}`)
  return below
    ? there.where(sql<boolean>`session_id >= ${scope} and session_id < ${`${scope.slice(0, -1)}0`}`)
    : there.where('session_id', '=', scope)
}

/**
 * The spelling under which a value is stored or will be: as given where there is a value, else composed.
 * @throws AppError INVALID_KEY for unseen characters in a new key
 */
export async function spellingOf(db: Db, workspace: string, { owner, scope }: Where, key: string): Promise<string> {
  const isUnseen = hasUnseenCharacters(key)
  const plain = composed(key)
  if (plain === key && !isUnseen) return key
  const found = await db
    .selectFrom('agent_memory')
    .select('key')
    .where('workspace', '=', workspace)
    .where('agent_id', '=', owner)
    .where('session_id', '=', scope)
    .where('key', '=', key)
    .executeTakeFirst()
  if (found !== undefined) return key
  if (!isUnseen) return plain
  throw new AppError('INVALID_KEY', "The argument 'key' holds characters that are not seen.", {
    context: {
      argument: 'key',
      given: 'a key with invisible or bidirectional characters',
      allowed: 'characters that are seen'
    }
  })
}

/** The version of a live value; 0: there is none. */
export async function currentVersion(db: Db, workspace: string, { owner, scope }: Where, key: string): Promise<number> {
  const found = await db
    .selectFrom('agent_memory')
    .select(versionOf.as('version'))
    .where('workspace', '=', workspace)
    .where('agent_id', '=', owner)
    .where('session_id', '=', scope)
    .where('key', '=', key)
    .where(live)
    .executeTakeFirst()
  return found?.version ?? 0
}

export function versionConflict(version: number): AppError {
  return new AppError('VERSION_CONFLICT', 'The value has another version than if_version says.', {
    context: { argument: 'if_version', version }
  })
}

export function keyExists(): AppError {
  return new AppError('KEY_EXISTS', 'A value is stored under that key already.', { context: { argument: 'key' } })
}

export function changedNow(): AppError {
  return new AppError('CONFLICT', 'Somebody else changed the value at this very moment.', {
    context: { argument: 'key' }
  })
}

export function memoryNotFound(): AppError {
  return new AppError('MEMORY_NOT_FOUND', 'No value is stored under that key in that scope.', {
    context: { argument: 'key' }
  })
}
