import { type Expression, sql } from 'kysely'
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

/** Keys remembered by one process: about 5 MB. */
const REMEMBERED_MAX = 10_000
/** Looked up at a time: whoever tries keys must not keep revocations from being read, on the same connection. */
const LOOKUPS_MAX = 2

/**
 * Keys by their id, remembered: nothing of a key ever changes but that it is revoked, which is asked of `revocations`,
 * so that every replica knows it within 2 s. Where memory cannot tell, the database does.
 * @param db across workspaces, since a key is what says whose a call is; and no connection of the pool, which
 * transactions may hold whose call waits for this
 */
export function rememberKeys(db: Db, revocations: Pick<Revocations, 'known'>): FindKey {
  const remembered = new Map<string, { key: ApiKey; hash: Buffer }>()
  const gate = createSemaphore(LOOKUPS_MAX)
  return async key_id => {
    const known = remembered.get(key_id)
    const revoked = known === undefined ? undefined : revocations.known(key_id)
    if (known !== undefined && revoked !== undefined) return { ...known, revoked }
    const row = await gate(() =>
      db
        .selectFrom('api_keys')
        .select([...columns, 'hash'])
        .where('key_id', '=', key_id)
        .executeTakeFirst()
    )
    if (row === undefined) return undefined
    const { hash, ...key } = row
    if (remembered.size >= REMEMBERED_MAX) remembered.delete(remembered.keys().next().value as string)
    if (key.revoked_at === null) remembered.set(key_id, { key, hash })
    return { key, hash, revoked: key.revoked_at !== null || revocations.known(key_id) === true }
  }
}

export type NewKey = Pick<
  ApiKey,
  'workspace' | 'key_id' | 'agent_id' | 'agent_type' | 'permissions' | 'sessions' | 'created_by' | 'created_with'
> & {
  hash: Buffer
  /** Seconds from now; undefined: it does not end. */
  expires_in: number | undefined
  /** It ends then at the latest. */
  until: Date | undefined
}

export async function create(db: Db, { expires_in, until, ...key }: NewKey): Promise<ApiKey> {
  return db
    .insertInto('api_keys')
    .values({
      ...key,
      expires_at: sql<string>`least(${until?.toISOString() ?? null}::timestamptz, clock_timestamp() + make_interval(secs => ${expires_in ?? null}::int))`
    })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/**
 * Whose keys are managed: a workspace's, and by who is limited to sessions only those that are limited to some of
 * these.
 */
export type Managed = Pick<Agent, 'workspace' | 'sessions'>

export interface KeyFilter {
  include_revoked: boolean
  limit: number
  after?: { created_at: string; key_id: string }
}

/** Newest first, one more than `limit` if there are more. */
export async function list(
  db: Db,
  { workspace, sessions }: Managed,
  { include_revoked, limit, after }: KeyFilter
): Promise<ApiKey[]> {
  let query = db.selectFrom('api_keys').select(columns).where('workspace', '=', workspace)
  if (sessions !== undefined) query = query.where(within(sessions))
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

/** @returns false if it was revoked already. @throws AppError API_KEY_NOT_FOUND */
export async function revoke(tx: Db, { workspace, sessions }: Managed, key_id: string): Promise<boolean> {
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

function within(sessions: readonly string[]): Expression<boolean> {
  return sql<boolean>`sessions <@ ${sessions}::text[]`
}
