import { sql } from 'kysely'
import { textBehind } from '../../postgres/like.js'
import { composed } from '../../kernel/text.js'
import type { Db } from '../../postgres/schema.js'
import { currentVersion, live, versionConflict, versionOf, type Where } from './entries.js'

/**
 * Deletes a value, under the key as given or else composed.
 * @param if_version the version that it must have; 0: there must be none
 * @returns whether a live value was there
 * @throws AppError VERSION_CONFLICT
 */
export async function remove(
  db: Db,
  workspace: string,
  where: Where,
  key: string,
  if_version?: number
): Promise<boolean> {
  const plain = composed(key)
  for (const spelling of plain === key ? [key] : [key, plain]) {
    if (if_version === 0) {
      const version = await currentVersion(db, workspace, where, spelling)
      if (version > 0) throw versionConflict(version)
    } else if (await removeOne(db, workspace, where, spelling, if_version)) return true
  }
  if (if_version === undefined || if_version === 0) return false
  const found = await currentVersion(db, workspace, where, key)
  throw versionConflict(found > 0 || plain === key ? found : await currentVersion(db, workspace, where, plain))
}

async function removeOne(
  db: Db,
  workspace: string,
  { owner, scope }: Where,
  key: string,
  if_version: number | undefined
): Promise<boolean> {
  const matches = if_version === undefined ? sql`true` : sql`${versionOf} = ${if_version} and ${live}`
  const { rows } = await sql<{ was_live: boolean }>`
    delete from agent_memory
    where workspace = ${workspace} and agent_id = ${owner} and session_id = ${scope} and key = ${key} and ${matches}
    returning ${live} as was_live`.execute(db)
  return rows[0]?.was_live ?? false
}

/**
 * The condition that keys begin with a text. New keys are composed; older ones have the spelling they came with.
 * A range, since behind a policy `like` uses no index (src/postgres/row-security.ts).
 */
export function begins(prefix: string) {
  const within = (text: string) => {
    const end = textBehind(text)
    return end === undefined ? sql<boolean>`key >= ${text}` : sql<boolean>`(key >= ${text} and key < ${end})`
  }
  const plain = composed(prefix)
  return prefix === plain ? within(prefix) : sql<boolean>`(${within(prefix)} or ${within(plain)})`
}

/** Deletes all values of a scope whose keys begin with a text. @returns how many live ones were there */
export async function removePrefix(
  db: Db,
  workspace: string,
  { owner, scope }: Where,
  prefix: string
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with removed as (delete from agent_memory
      where workspace = ${workspace} and agent_id = ${owner} and session_id = ${scope} and ${begins(prefix)}
      returning ${live} as was_live)
    select count(*) filter (where was_live) as count from removed`.execute(db)
  return rows[0]?.count ?? 0
}
