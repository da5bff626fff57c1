import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'
import type { StoredValue, Where } from './entries.js'

export interface Version {
  version: number
  value: unknown
  changed_by: string
  changed_at: string
}

/** The current version of a value and those that it has replaced, the newest first: at most `limit`. */
export async function versionsOf(
  db: Db,
  workspace: string,
  { owner, scope }: Where,
  current: StoredValue,
  limit: number,
  bytes_max: number
): Promise<{ versions: Version[]; has_more: boolean }> {
  const { rows } = await sql<Version>`
    select version, value, changed_by, changed_at from (
      select h.*, sum(value_size) over (order by version desc) as up_to_here,
        row_number() over (order by version desc) as n
      from memory_history h where workspace = ${workspace} and agent_id = ${owner} and session_id = ${scope}
        and key = ${current.key} and version < ${current.version}) sized
    where up_to_here + ${current.value_size} <= ${bytes_max} and n < ${limit} order by version desc`.execute(db)
  const { version, value, updated_by: changed_by, updated_at: changed_at } = current
  const older = rows
  const left = await sql<{ left: boolean }>`select exists (select from memory_history
    where workspace = ${workspace} and agent_id = ${owner} and session_id = ${scope} and key = ${current.key}
      and version < ${older.at(-1)?.version ?? current.version}) as left`.execute(db)
  return { versions: [{ version, value, changed_by, changed_at }, ...older], has_more: left.rows[0]?.left === true }
}
