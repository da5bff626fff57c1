import { type Selectable, sql } from 'kysely'
import type { Db, Schema } from '../../postgres/schema.js'

/** Of an agent's data that was there `until` then. */
type Erasure = Pick<
  Selectable<Schema['erased_agents']>,
  'workspace' | 'agent_id' | 'pseudonym' | 'up_to_message_id'
> & { until: string }

/**
 * Puts a pseudonym in the place of an agent among the addressees of messages, and empties its inbox: a later agent of
 * that name sees none of them.
 * @returns how many messages were in its inbox, at most `limit`
 */
export async function renameAddressee(
  tx: Db,
  { workspace, agent_id, pseudonym, up_to_message_id, until }: Erasure,
  limit: number
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    select e.message_id as id from inbox e where e.workspace = ${workspace} and e.name = ${agent_id}
      and (e.message_id <= ${up_to_message_id} or exists (select from messages m where m.workspace = e.workspace
        and m.id = e.message_id and m.timestamp <= ${until}::timestamptz))
    order by e.message_id limit ${limit} for update`.execute(tx)
  const ids = rows.map(({ id }) => id)
  if (ids.length === 0) return 0
  const replaced = sql`array_replace(addressees, ${agent_id}, ${pseudonym})`
  // The index's list before the index, as everywhere: what waits for the index is waited for.
  await sql`select from search_pending where workspace = ${workspace} and message_id = any(${ids}::bigint[])
    for update`.execute(tx)
  await sql`
    with indexed as (
      update message_terms set addressees = ${replaced} where workspace = ${workspace}
        and message_id = any(${ids}::bigint[])
    ), entries as (
      update inbox set name = ${pseudonym} where workspace = ${workspace} and message_id = any(${ids}::bigint[])
        and name = ${agent_id}
    )
    update messages set addressees = ${replaced} where workspace = ${workspace} and id = any(${ids}::bigint[])
      and addressees && array[${agent_id}]::text[]`.execute(tx)
  return ids.length
}

/** The same in what the feed tells of messages that were deleted. */
export async function renameInDeletions(
  tx: Db,
  { workspace, agent_id, pseudonym, until }: Erasure,
  limit: number
): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    update session_changes set addressees = array_replace(addressees, ${agent_id}, ${pseudonym})
    where ctid = any(array(select ctid from session_changes where workspace = ${workspace}
      and addressees && array[${agent_id}]::text[] and changed_at <= ${until}::timestamptz
      limit ${limit} for update))`.execute(tx)
  return Number(numAffectedRows)
}

/**
 * The same in the sessions of two agents. Two agents have one session. If somebody asked the agent again during the
 * erasure, there is a second one; it gets a pseudonym of its own.
 */
export async function renameInPairs(
  tx: Db,
  { workspace, agent_id, pseudonym, until }: Erasure,
  limit: number
): Promise<number> {
  const renamed = sql`array_replace(sessions.between_agents, ${agent_id}, ${pseudonym})`
  const { numAffectedRows = 0n } = await sql`
    update sessions set between_agents = case when exists (select from sessions other
        where other.workspace = ${workspace} and other.between_agents = ${renamed})
      then array_replace(between_agents, ${agent_id}, ${pseudonym} || '-' || id) else ${renamed} end
    where workspace = ${workspace} and id = any(array(select id from sessions where workspace = ${workspace}
      and between_agents is not null and between_agents && array[${agent_id}]::text[]
      and created_at <= ${until}::timestamptz order by id limit ${limit} for update))`.execute(tx)
  return Number(numAffectedRows)
}

/** Deletes the answers kept for repeats that name an agent among those whom messages have reached. */
export async function forgetReached(tx: Db, { workspace, agent_id }: Erasure, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from idempotency_keys where ctid = any(array(select ctid from idempotency_keys
      where workspace = ${workspace} and jsonb_typeof(answer) = 'array'
        and strpos((answer #> '{0,reached}')::text, to_json(${agent_id}::text)::text) > 0
      limit ${limit} for update))`.execute(tx)
  return Number(numAffectedRows)
}
