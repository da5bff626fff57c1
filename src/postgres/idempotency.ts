import { sql } from 'kysely'
import { AppError } from '../kernel/errors.js'
import type { IdempotencyKey } from '../kernel/receipt.js'
import type { Db } from './schema.js'
import { defineStatement } from './statements.js'

/** How long the first answer is kept for repeats of the call. */
export const KEPT_HOURS = 24

/**
 * Claims a key in the transaction of the call. If another call holds the key, the insert waits for it. After its commit
 * its answer is here; after its rollback the key is ours.
 * @returns the first answer, if there is one
 * @throws AppError IDEMPOTENCY_CONFLICT if the key came with another request
 */
export async function claim<T = Record<string, unknown>>(tx: Db, key: IdempotencyKey): Promise<T | undefined> {
  const { rows } = await sql`
    insert into idempotency_keys as k (workspace, agent_id, key, request_hash)
    values (${key.workspace}, ${key.agent_id}, ${key.key}, ${key.request_hash})
    on conflict (workspace, agent_id, key)
      do update set request_hash = excluded.request_hash, answer = null, created_at = clock_timestamp()
    where k.created_at < clock_timestamp() - make_interval(hours => ${KEPT_HOURS})
    returning key`.execute(tx)
  if (rows.length === 1) return undefined
  const first = await tx
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'answer'])
    .where('workspace', '=', key.workspace)
    .where('agent_id', '=', key.agent_id)
    .where('key', '=', key.key)
    .executeTakeFirst()
  if (first === undefined) throw new AppError('CONFLICT', 'The idempotency_key was released at this very moment.')
  if (!first.request_hash.equals(key.request_hash) || first.answer === null) {
    throw new AppError('IDEMPOTENCY_CONFLICT', 'This idempotency_key came earlier with another request.', {
      context: { argument: 'idempotency_key' }
    })
  }
  return first.answer as T
}

/** It goes with the commit, in one round trip. */
const keepAnswer = defineStatement<[workspace: string, agent_id: string, key: string, answer: string], never>(
  'idempotency_keys.settle',
  'update idempotency_keys set answer = $4 where workspace = $1 and agent_id = $2 and key = $3',
  undefined,
  { withNext: true }
)

/** Keeps the answer for repeats of the call. */
export async function settle(tx: Db, { workspace, agent_id, key }: IdempotencyKey, answer: object): Promise<void> {
  await keepAnswer(tx, [workspace, agent_id, key, JSON.stringify(answer)])
}
