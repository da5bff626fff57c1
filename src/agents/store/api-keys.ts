import { sql } from 'kysely'
import { type Agent, mayEnter } from '../../kernel/agent.js'
import type { ApiKey } from '../api-key.js'
import { AppError } from '../../kernel/errors.js'
import { createSemaphore } from '../../kernel/semaphore.js'
import type { FindKey } from '../keys.js'
import type { Revocations } from './revocations.js'
import type { Db } from '../../postgres/schema.js'

const columns = [
  'workspace',
  'key_id',
  'agent_id',
  'agent_type',
  'permissions',
  'sessions',
  'created_at',
  'created_by',
  'created_with',
  'expires_at',
  'revoked_at'
] as const

/** Most keys that one process caches: about 5 MB. */
const CACHE_MAX = 10_000
/** Most lookups at a time: callers that try keys must not delay the revocations, which use the same connection. */
const LOOKUPS_MAX = 2

/**
 * Finds keys by id, with a cache. A key never changes except by revocation, and `revocations` reports that to every
 * replica within 2 seconds. If it is out of date, the database decides.
 * @param db access to all workspaces, because the key determines the workspace. Not the pool: its connections may all
 * be held by transactions of calls that wait for this lookup
 */
export function rememberKeys(db: Db, revocations: Pick<Revocations, 'known'>): FindKey {
  const cache = new Map<string, { key: ApiKey; hash: Buffer }>()
  const semaphore = createSemaphore(LOOKUPS_MAX)
  return async key_id => {
    const cached = cache.get(key_id)
    const revoked = cached === undefined ? undefined : revocations.known(key_id)
    if (cached !== undefined && revoked !== undefined) return { ...cached, revoked }
    const row = await semaphore(() =>
      db
        .selectFrom('api_keys')
        .select([...columns, 'hash'])
        .where('key_id', '=', key_id)
        .executeTakeFirst()
    )
    if (row === undefined) return undefined
    const { hash, ...key } = row
    if (cache.size >= CACHE_MAX) cache.delete(cache.keys().next().value as string)
    if (key.revoked_at === null) cache.set(key_id, { key, hash })
    return { key, hash, revoked: key.revoked_at !== null || revocations.known(key_id) === true }
  }
}

export type NewKey = Pick<
  ApiKey,
  'workspace' | 'key_id' | 'agent_id' | 'agent_type' | 'permissions' | 'sessions' | 'created_by' | 'created_with'
> & {
  hash: Buffer
  /** Seconds from now; undefined: the key does not expire. */
  expires_in: number | undefined
  /** The latest time at which the key expires. */
  until: Date | undefined
}

export async function create(db: Db, { expires_in, until, ...key }: NewKey): Promise<ApiKey> {
  return db
    .insertInto('api_keys')
    .values({
      ...key,
      expires_at: sql<string>`least(${until?.toISOString() ?? null}::timestamptz, clock_timestamp() +
          make_interval(secs => ${expires_in ?? null}::int))`
    })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/**
 * Which keys may be managed: those of the workspace. If `sessions` is set, only keys that are limited to some of these
 * sessions.
 */
export type ManagedKeyScope = Pick<Agent, 'workspace' | 'sessions'>

export interface KeyFilter {
  include_revoked: boolean
  limit: number
  after?: { created_at: string; key_id: string }
}

/** Lists keys newest first: at most `limit + 1`, where the extra one shows that there are more. */
export async function list(
  db: Db,
  { workspace, sessions }: ManagedKeyScope,
  { include_revoked, limit, after }: KeyFilter
): Promise<ApiKey[]> {
  let query = db.selectFrom('api_keys').select(columns).where('workspace', '=', workspace)
  if (sessions !== undefined) query = query.where(sql<boolean>`sessions <@ ${sessions}::text[]`)
  if (!include_revoked)
    query = query
      .where('revoked_at', 'is', null)
      .where(sql<boolean>`(expires_at is null or expires_at > clock_timestamp())`)
  if (after !== undefined)
    query = query.where(sql<boolean>`(created_at, key_id) < (${after.created_at}::timestamptz, ${after.key_id})`)
  return query
    .orderBy('created_at', 'desc')
    .orderBy('key_id', 'desc')
    .limit(limit + 1)
    .execute()
}

/**
 * @returns false if the key was already revoked
 * @throws AppError API_KEY_NOT_FOUND
 */
export async function revoke(tx: Db, { workspace, sessions }: ManagedKeyScope, key_id: string): Promise<boolean> {
  const key = await tx
    .selectFrom('api_keys')
    .select(['sessions', 'revoked_at'])
    .where('workspace', '=', workspace)
    .where('key_id', '=', key_id)
    .forUpdate()
    .executeTakeFirst()
  if (key === undefined || (sessions !== undefined && key.sessions?.every(id => mayEnter({ sessions }, id)) !== true)) {
    throw new AppError('API_KEY_NOT_FOUND', 'There is no API key with that key_id.', {
      context: { argument: 'key_id' }
    })
  }
  if (key.revoked_at !== null) return false
  await tx
    .updateTable('api_keys')
    .set({ revoked_at: sql<string>`clock_timestamp()` })
    .where('workspace', '=', workspace)
    .where('key_id', '=', key_id)
    .execute()
  return true
}
