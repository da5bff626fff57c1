import { type Selectable, sql } from 'kysely'
import { type Agent, isAdmin } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import type { Db, Schema } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { namespaceOf, rootOf, withAbove } from '../namespace.js'

/** Who may read and write which namespace. A right reaches down to all namespaces below. */

type NamespaceRow = Pick<Selectable<Schema['memory_namespaces']>, 'path' | 'owner' | 'readers' | 'writers'>

export interface Rights {
  /** The owner of the first part, whose memory it counts as. */
  payer: string
  owns: boolean
  reads: boolean
  writes: boolean
}

/** What the readers and writers of a namespace may say of an agent. */
export function namesOf({ agent_id, agent_type }: Agent): string[] {
  return [agent_id, `type:${agent_type}`, '*']
}

const selectThese = defineStatement<{ workspace: string; paths: readonly string[] }, NamespaceRow>(
  'memory_namespaces.these',
  (db, { workspace, paths }) =>
    db
      .selectFrom('memory_namespaces')
      .select(['path', 'owner', 'readers', 'writers'])
      .where('workspace', '=', workspace)
      .where(sql<boolean>`path = any(${paths}::text[])`)
)

/** What an agent may do in a namespace; undefined: nobody has made its first part. */
export async function rightsIn(db: Db, agent: Agent, path: string): Promise<Rights | undefined> {
  const rows = await selectThese(db, { workspace: agent.workspace, paths: withAbove(path) })
  const root = rows.find(row => row.path === rootOf(path))
  if (root === undefined) return undefined
  const names = namesOf(agent)
  const owns = isAdmin(agent) || rows.some(({ owner }) => owner === agent.agent_id)
  const writes = owns || rows.some(({ writers }) => writers.some(name => names.includes(name)))
  const reads = writes || rows.some(({ readers }) => readers.some(name => names.includes(name)))
  return { payer: root.owner, owns, reads, writes }
}

/** Makes the first part of a path, owned by the agent and private; nothing if somebody has made it. */
export async function makeRoot(db: Db, { workspace, agent_id }: Agent, path: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('memory_namespaces')
    .values({ workspace, path: rootOf(path), owner: agent_id, readers: [], writers: [] })
    .onConflict(conflict => conflict.columns(['workspace', 'path']).doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}

/**
 * Says who may read and write a namespace and all below it. Makes what is not there yet, owned by the agent.
 * @throws AppError PERMISSION_DENIED unless the agent owns it, or a namespace above it, or is an admin
 */
export async function setRights(
  tx: Db,
  agent: Agent,
  path: string,
  readers: string[],
  writers: string[]
): Promise<{ owner: string; created: boolean }> {
  const made = await makeRoot(tx, agent, path)
  const rights = await rightsIn(tx, agent, path)
  if (rights?.owns !== true) throw notYours(agent, 'change', path)
  const { rows } = await sql<{ owner: string; created: boolean }>`
    insert into memory_namespaces as n (workspace, path, owner, readers, writers)
    values (${agent.workspace}, ${path}, ${agent.agent_id}, ${readers}::text[], ${writers}::text[])
    on conflict (workspace, path) do update set readers = excluded.readers, writers = excluded.writers,
      updated_at = clock_timestamp()
    returning owner, n.xmax = 0 as created`.execute(tx)
  const { owner, created } = rows[0] as { owner: string; created: boolean }
  return { owner, created: created || (made && path === rootOf(path)) }
}

export function notYours({ permissions }: Agent, what: 'write into' | 'change', path: string): AppError {
  const who = what === 'change' ? 'its owner' : 'its owner, its writers'
  return new AppError(
    'PERMISSION_DENIED',
    `You may not ${what} the namespace ${namespaceOf(path)}: only ${who} and admins may.`,
    {
      context: { argument: 'namespace', required_permission: 'admin', current_permissions: permissions },
      suggestions: [
        'Ask its owner to name you among the writers with set_namespace',
        'Or use a namespace with another first part, which is then yours'
      ]
    }
  )
}
