import { type Selectable, sql } from 'kysely'
import { type Agent, isAdmin } from '../../kernel/agent.js'
import { likeLiteral } from '../../postgres/like.js'
import type { Db, Schema } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'

type Lease = Selectable<Schema['leases']>
/** A lease as its holder knows it. */
export type HeldLease = Pick<Lease, 'name' | 'token' | 'expires_at'>
/** A lease as others see it. */
export type ListedLease = Pick<Lease, 'name' | 'holder' | 'purpose' | 'expires_at'>

/** By the database's clock, so that all replicas agree. */
const live = sql<boolean>`expires_at > clock_timestamp()`

/**
 * Takes the names that are free, in their order, so that no two callers wait for each other crosswise. A row is locked
 * before it is looked at, and its token is drawn under that lock: who holds a name later has the larger token.
 * @returns fewer than `names` if somebody holds one: the caller then takes the transaction back
 */
export async function takeNames(
  tx: Db,
  { workspace, agent_id }: Agent,
  names: readonly string[],
  ttl_seconds: number,
  purpose: string | undefined
): Promise<HeldLease[]> {
  const ends = sql`clock_timestamp() + make_interval(secs => ${ttl_seconds})`
  const { rows } = await sql<HeldLease>`
    insert into leases as l (workspace, name, holder, token, purpose, expires_at)
    select ${workspace}, wanted.name, ${agent_id}, nextval('lease_tokens'), ${purpose ?? null}, ${ends}
    from (select name from unnest(${names}::text[]) as name order by name collate "C") wanted
    on conflict (workspace, name) do update set holder = excluded.holder, token = nextval('lease_tokens'),
      purpose = excluded.purpose, acquired_at = clock_timestamp(), expires_at = ${ends}
    where l.expires_at <= clock_timestamp()
    returning name, token, expires_at`.execute(tx)
  return rows
}

const selectLive = defineStatement<{ workspace: string; names: readonly string[] }, ListedLease>(
  'leases.live',
  (db, { workspace, names }) =>
    db
      .selectFrom('leases')
      .select(['name', 'holder', 'purpose', 'expires_at'])
      .where('workspace', '=', workspace)
      .where(sql<boolean>`name = any(${names}::text[])`)
      .where(live)
      .orderBy('name')
)

/** Who holds which of these names now. */
export async function holdersOf(db: Db, workspace: string, names: readonly string[]): Promise<ListedLease[]> {
  return selectLive(db, { workspace, names })
}

export interface NamedLease {
  name: string
  /** Undefined: whichever it is, for an admin. */
  token?: number
}

/** The rows, still held, that these leases name. @param own only those of the agent itself */
function matching({ workspace, agent_id }: Agent, leases: readonly NamedLease[], own: boolean) {
  return sql<boolean>`workspace = ${workspace} and ${live} and (${!own} or holder = ${agent_id}) and exists (
    select from unnest(${leases.map(({ name }) => name)}::text[], ${leases.map(({ token }) => token ?? null)}::bigint[])
      as given (name, token)
    where given.name = leases.name and coalesce(given.token, leases.token) = leases.token)
    and name = any(${leases.map(({ name }) => name)}::text[])`
}

/** @returns those that the agent holds still, by that token */
export async function renew(
  tx: Db,
  agent: Agent,
  leases: readonly NamedLease[],
  ttl_seconds: number
): Promise<HeldLease[]> {
  const { rows } = await sql<HeldLease>`
    update leases set expires_at = clock_timestamp() + make_interval(secs => ${ttl_seconds})
    where ${matching(agent, leases, true)} returning name, token, expires_at`.execute(tx)
  return rows
}

/** The rows stay until they are swept, so that the next token is drawn under their lock. @returns the names */
export async function release(tx: Db, agent: Agent, leases: readonly NamedLease[]): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    update leases set expires_at = clock_timestamp() where ${matching(agent, leases, !isAdmin(agent))}
    returning name`.execute(tx)
  return rows.map(({ name }) => name)
}

/**
 * Ends all leases of an agent that were taken until then, and puts its pseudonym in its place.
 * @returns how many
 */
export async function releaseAll(
  tx: Db,
  { workspace, agent_id, pseudonym, until }: { workspace: string; agent_id: string; pseudonym: string; until: string }
): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    update leases set holder = ${pseudonym}, purpose = null, expires_at = least(expires_at, clock_timestamp())
    where workspace = ${workspace} and holder = ${agent_id} and acquired_at <= ${until}::timestamptz`.execute(tx)
  return Number(numAffectedRows)
}

/** By name: at most `limit + 1`, where the extra one shows that there are more. */
export async function list(
  db: Db,
  workspace: string,
  { prefix, holder, limit }: { prefix?: string; holder?: string; limit: number }
): Promise<ListedLease[]> {
  let query = db
    .selectFrom('leases')
    .select(['name', 'holder', 'purpose', 'expires_at'])
    .where('workspace', '=', workspace)
    .where(live)
  if (prefix !== undefined) query = query.where('name', 'like', `${likeLiteral(prefix)}%`)
  if (holder !== undefined) query = query.where('holder', '=', holder)
  return query
    .orderBy('name')
    .limit(limit + 1)
    .execute()
}

/** How many names are held in all workspaces, up to `most`. @param db sees all workspaces */
export async function countHeld(db: Db, most: number): Promise<number> {
  const { count } = await db
    .selectFrom(db.selectFrom('leases').select('name').where(live).limit(most).as('held'))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}
