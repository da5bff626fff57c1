import { sql } from 'kysely'
import { type AuditKeys, NO_MAC, type SignedBeginning, type SignedHead, signHead } from './keys.js'
import type { Db } from '../../postgres/schema.js'
import { databaseTime } from '../../postgres/clock.js'
import { workspacesIn } from '../../postgres/workspaces.js'

/** The end of a chain. */
export interface Tail {
  workspace: string
  seq: number
  mac: Buffer
}

/**
 * The ends of the workspaces' chains, ordered by workspace. A chain whose rows have all been dropped ends at its
 * beginning.
 */
export async function tailsOf(db: Db, workspaces: readonly string[]): Promise<Tail[]> {
  const { rows } = await sql<{ workspace: string; seq: number | null; mac: Buffer | null }>`
    select w.workspace, t.seq, t.mac
    from unnest(${workspaces}::text[]) as w (workspace) left join lateral (
      (select seq, mac from audit_chain where workspace = w.workspace order by seq desc limit 1)
      union all (select seq, mac from audit_beginnings where workspace = w.workspace order by seq desc limit 1)
      order by seq desc limit 1) t on true
    order by w.workspace collate "C"`.execute(db)
  return rows.map(({ workspace, seq, mac }) => ({ workspace, seq: seq ?? 0, mac: mac ?? NO_MAC }))
}

/** Up to which id all rows are chained according to the newest head, and the age of that head. */
export async function drainedTo(db: Db): Promise<{ to: number; age_ms: number }> {
  const {
    rows: [row]
  } = await sql<{ to: number; age_ms: number }>`
    select drained_to as to, (extract(epoch from clock_timestamp() - signed_at) * 1000)::bigint as age_ms
    from audit_heads order by drained_to desc, signed_at desc limit 1`.execute(db)
  return row ?? { to: 0, age_ms: Infinity }
}

/**
 * Signs a head for each chain that has grown since its last head.
 * @param after_id where the newest head of all chains ended: only workspaces with rows beyond it are considered
 */
export async function signHeads(db: Db, keys: AuditKeys, after_id: number, drained_to: number): Promise<SignedHead[]> {
  const { rows: changed } = await sql<{
    workspace: string
  }>`select distinct workspace from audit_log where id > ${after_id}`.execute(db)
  const tails = await tailsOf(
    db,
    changed.map(({ workspace }) => workspace)
  )
  const signed_at = await databaseTime(db)
  const { rows: known } = await sql<{ workspace: string; seq: number }>`
    select w.workspace, h.seq from unnest(${tails.map(({ workspace }) => workspace)}::text[]) as w (workspace)
    cross join lateral (select seq from audit_heads where workspace = w.workspace order by seq desc limit 1) h`.execute(
    db
  )
  const last = new Map(known.map(({ workspace, seq }) => [workspace, seq]))
  const heads = tails
    .filter(({ workspace, seq }) => seq > (last.get(workspace) ?? 0))
    .map(tail => signHead(keys.first, { ...tail, drained_to, signed_at }))
  if (heads.length > 0) await db.insertInto('audit_heads').values(heads).execute()
  return heads
}

export async function beginningOf(db: Db, workspace: string): Promise<SignedBeginning | undefined> {
  return db
    .selectFrom('audit_beginnings')
    .where('workspace', '=', workspace)
    .orderBy('seq', 'desc')
    .limit(1)
    .selectAll()
    .executeTakeFirst()
}

/** Every workspace that has audit rows or had some, sorted. */
export async function auditedWorkspaces(db: Db): Promise<string[]> {
  const found = new Set<string>()
  for (const table of ['audit_log', 'audit_chain', 'audit_heads', 'audit_beginnings'])
    for (const workspace of await workspacesIn(db, table)) found.add(workspace)
  return [...found].sort()
}
