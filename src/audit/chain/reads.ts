import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'
import type { SignedHead } from './keys.js'
import { coveredColumns, type CoveredRow, isChained } from './rows.js'

/** Rows of one query. */
export const PAGE = 2000
/** Unchained rows are counted up to this number. */
const UNCHAINED_COUNT_MAX = 100_000

/** A position of the chain with its audit row; `id` is null if the row is missing. */
export interface ChainedRow extends CoveredRow {
  seq: number
  audit_id: number
  key_id: string
  mac: Buffer
}

/** The next positions of the chain, at most PAGE. */
export async function pageAfter(db: Db, workspace: string, seq: number): Promise<ChainedRow[]> {
  const { rows } = await sql<ChainedRow>`
    select c.seq, c.audit_id, c.key_id, c.mac, ${coveredColumns('a')}
    from (select * from audit_chain where workspace = ${workspace} and seq > ${seq} order by seq limit ${PAGE}) c
    left join lateral (select * from audit_log where id = c.audit_id limit 1) a on true
    order by c.seq`.execute(db)
  return rows
}

export async function macAt(db: Db, workspace: string, seq: number): Promise<Buffer | undefined> {
  const { rows } = await sql<{ mac: Buffer }>`
    select mac from audit_chain where workspace = ${workspace} and seq = ${seq}`.execute(db)
  return rows[0]?.mac
}

export async function newestHead(db: Db, workspace: string): Promise<SignedHead | undefined> {
  return db
    .selectFrom('audit_heads')
    .where('workspace', '=', workspace)
    .orderBy('seq', 'desc')
    .limit(1)
    .selectAll()
    .executeTakeFirst()
}

/** @param up_to undefined: only the first head after `seq` */
export async function headsAfter(
  db: Db,
  workspace: string,
  seq: number,
  up_to: number | undefined
): Promise<SignedHead[]> {
  const query = db
    .selectFrom('audit_heads')
    .where('workspace', '=', workspace)
    .where('seq', '>', seq)
    .orderBy('seq')
    .selectAll()
  return (up_to === undefined ? query.limit(1) : query.where('seq', '<=', up_to)).execute()
}

export async function firstUnchained(
  db: Db,
  workspace: string,
  after: number,
  up_to: number
): Promise<number | undefined> {
  if (up_to <= after) return undefined
  const { rows } = await sql<{ id: number }>`
    select a.id from audit_log a where a.id > ${after} and a.id <= ${up_to} and a.workspace = ${workspace}
      and not ${isChained('a')} order by a.id limit 1`.execute(db)
  return rows[0]?.id
}

export async function countUnchained(db: Db, workspace: string, after: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select from audit_log a where a.id > ${after} and a.workspace = ${workspace} and not ${isChained('a')}
        limit ${UNCHAINED_COUNT_MAX}) waiting`.execute(db)
  return rows[0]?.count ?? 0
}
