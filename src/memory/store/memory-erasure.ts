import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'

export interface MemoryErasure {
  workspace: string
  agent_id: string
  /** What stands in the agent's place from now on. */
  pseudonym: string
  /** What was written later is somebody else's. */
  until?: string
}

/**
 * Removes what an agent has remembered, with the older versions of it, its rights, and the namespaces that it owns and
 * shares with nobody. A namespace that it shares goes on with the pseudonym as its owner: what lies in it belongs to
 * all who share it. Of what lies in namespaces, only the older versions that it wrote go.
 * @returns how many values were removed
 */
export async function eraseMemory(
  tx: Db,
  { workspace, agent_id, pseudonym, until = 'infinity' }: MemoryErasure
): Promise<number> {
  const here = sql<boolean>`workspace = ${workspace}`
  const before = (column: string) => sql<boolean>`${sql.ref(column)} <= ${until}::timestamptz`
  const inNamespace = sql<boolean>`session_id <> '' and session_id >= '/' and session_id < '0'`
  await sql`update memory_namespaces set readers = array_remove(readers, ${agent_id}),
      writers = array_remove(writers, ${agent_id})
    where ${here} and (${agent_id} = any(readers) or ${agent_id} = any(writers)) and ${before('updated_at')}`.execute(
    tx
  )

  // What nobody else may read goes as a whole, and its namespaces with it.
  const { rows: alone } = await sql<{ path: string }>`
    select r.path from memory_namespaces r where r.workspace = ${workspace} and r.owner = ${agent_id}
      and strpos(substr(r.path, 2), '/') = char_length(r.path) - 1 and r.created_at <= ${until}::timestamptz
      and not exists (select from memory_namespaces n where n.workspace = r.workspace and n.path >= r.path
        and n.path < rtrim(r.path, '/') || '0'
        and (n.owner <> r.owner or n.readers <> '{}' or n.writers <> '{}'))`.execute(tx)
  const paths = alone.map(({ path }) => path)
  const within = (column: string) => sql<boolean>`exists (select from unnest(${paths}::text[]) as root (path)
    where ${sql.ref(column)} >= root.path and ${sql.ref(column)} < rtrim(root.path, '/') || '0')`
  const removed = await sql`delete from agent_memory where ${here} and agent_id = ${agent_id}
    and ${before('updated_at')} and (not (${inNamespace}) or ${within('agent_memory.session_id')})`.execute(tx)
  await sql`delete from memory_namespaces where ${here} and ${within('memory_namespaces.path')}`.execute(tx)

  const written = sql<boolean>`${here} and changed_by = ${agent_id} and ${before('changed_at')}`
  await sql`delete from memory_history where ${written} and agent_id = ${agent_id}`.execute(tx)
  await sql`delete from memory_history where ${written} and changed_by <> agent_id`.execute(tx)
  await sql`update memory_namespaces set owner = ${pseudonym} where ${here} and owner = ${agent_id}
    and ${before('created_at')}`.execute(tx)
  // What is left under its name lies in namespaces whose owner is the pseudonym by now.
  const orphaned = (column: RawBuilder<unknown>) => sql<boolean>`exists (select from memory_namespaces n
    where n.workspace = ${workspace} and n.owner = ${pseudonym}
      and n.path = '/' || split_part(${column}, '/', 2) || '/')`
  // A call that wrote while the first values were renamed used the old owner. Its value is the newer one. What it
  // replaces goes before the histories are renamed: a value takes its history along.
  await sql`delete from agent_memory where ${here} and agent_id = ${pseudonym} and exists (
    select from agent_memory late where late.workspace = ${workspace} and late.agent_id = ${agent_id}
      and late.session_id = agent_memory.session_id and late.key = agent_memory.key)`.execute(tx)
  await sql`with moved as (
      delete from memory_history where ${here} and agent_id = ${agent_id} and ${inNamespace}
        and ${orphaned(sql`session_id`)}
      returning workspace, session_id, key, version, value, value_size, changed_by, changed_at)
    insert into memory_history (workspace, agent_id, session_id, key, version, value, value_size, changed_by,
      changed_at)
    select workspace, ${pseudonym}, session_id, key, version, value, value_size, changed_by, changed_at
    from moved`.execute(tx)
  await sql`update agent_memory set agent_id = ${pseudonym},
      updated_by = case updated_by when ${agent_id} then ${pseudonym} else updated_by end
    where ${here} and agent_id = ${agent_id} and ${inNamespace} and ${orphaned(sql`session_id`)}`.execute(tx)
  // Through the namespaces: by its key alone, a value is found at once.
  await sql`update agent_memory m set updated_by = ${pseudonym} from memory_namespaces root
    where root.workspace = ${workspace} and strpos(substr(root.path, 2), '/') = char_length(root.path) - 1
      and m.workspace = root.workspace and m.agent_id = root.owner
      and m.session_id >= root.path and m.session_id < rtrim(root.path, '/') || '0'
      and m.updated_by = ${agent_id} and m.updated_at <= ${until}::timestamptz`.execute(tx)
  return Number(removed.numAffectedRows ?? 0n)
}
