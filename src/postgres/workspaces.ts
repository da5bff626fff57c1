import { sql } from 'kysely'
import type { Db } from './schema.js'

/**
 * The workspaces that have rows in a table, sorted. The table needs an index that begins with the workspace: the query
 * jumps in it from one workspace to the next and skips the rows between them.
 */
export async function workspacesIn(db: Db, table: string): Promise<string[]> {
  const { rows } = await sql<{ workspace: string }>`
    with recursive name (workspace) as (
      (select workspace from ${sql.table(table)} order by workspace limit 1)
      union all
      select (select workspace from ${sql.table(table)} t where t.workspace > name.workspace order by workspace limit 1)
      from name where name.workspace is not null
    )
    select workspace from name where workspace is not null`.execute(db)
  return rows.map(({ workspace }) => workspace)
}
