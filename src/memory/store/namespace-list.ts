import { type RawBuilder, sql } from 'kysely'
import { type Agent, isAdmin } from '../../kernel/agent.js'
import type { Db } from '../../postgres/schema.js'
import { live } from './entries.js'
import { namesOf } from './namespaces.js'

export interface NamespaceFilter {
  /** What its name begins and ends with. */
  prefix?: string
  suffix?: string
  /** How many parts are shown; deeper ones are cut, and then come once. */
  depth?: number
  limit: number
  /** The path after which the page begins. */
  after?: string
}

export interface ListedNamespace {
  path: string
  owner: string | null
  readers: string[] | null
  writers: string[] | null
}

/** Paths that one call looks at, at most. */
const STEPS_MAX = 2000
/** As many parts as a namespace may have. */
const PARTS_MAX = 8

/** The first parts of a path, as a path. */
const cut = (path: string, parts: RawBuilder<unknown>) =>
  sql<string>`(array_to_string((string_to_array(rtrim(${sql.ref(path)}, '/'), '/'))[:${parts}::int + 1], '/')
    || '/') collate "C"`

const count = (path: string) => sql<number>`(cardinality(string_to_array(${sql.ref(path)}, '/')) - 2)`

/** What all paths below a path are smaller than. */
const end = (path: string) => sql<string>`(rtrim(${sql.ref(path)}, '/') || '0')`

/**
 * The namespaces that an agent may read and that have rights of their own or a live value, ordered by path: at most
 * `limit + 1`, where the extra one shows that there are more. A walk from path to path, each found by its key: `tops`
 * are those that the agent may read for a right of their own, with all that lies below them.
 * @returns `stopped`: the path at which the call stopped to look, if it did before it found enough
 */
export async function listNamespaces(
  db: Db,
  agent: Agent,
  { prefix = '', suffix = '', depth = PARTS_MAX, limit, after }: NamespaceFilter
): Promise<{ rows: ListedNamespace[]; stopped: string | undefined }> {
  const { workspace, agent_id } = agent
  const from = `/${prefix}`
  const names = namesOf(agent)
  const mine = isAdmin(agent)
    ? sql<boolean>`true`
    : sql<boolean>`(n.owner = ${agent_id} or n.readers && ${names}::text[] or n.writers && ${names}::text[])`
  const ending = `${suffix}/`
  const below = sql`> greatest(walk.behind, t.path) and`
  const { rows } = await sql<ListedNamespace & { step: number }>`
    with recursive readable as materialized (
      select n.path from memory_namespaces n where n.workspace = ${workspace} and ${mine}
    ), tops as materialized (
      select t.path, ${end('t.path')} as upto, root.owner as payer from readable t
      join memory_namespaces root on root.workspace = ${workspace} and root.path = ${cut('t.path', sql`1`)}
      where t.path not in (
        select r.path from readable r cross join generate_series(1, ${PARTS_MAX - 1}) parts
        join readable above on above.path = ${cut('r.path', sql`parts`)} and above.path <> r.path)
      order by t.path
    ), walk (path, behind, step) as (
      select ''::text collate "C", ${after === undefined ? '/' : behind(after, depth)}::text collate "C", 0
      union all
      select ${cut('following.path', sql`${depth}`)},
        case when ${count('following.path')} >= ${depth}
          then (rtrim(${cut('following.path', sql`${depth}`)}, '/') || '0') else following.path end collate "C",
        walk.step + 1
      from walk, lateral (
        select first.path from tops t, lateral (
          select min(found.path) as path from (
            (select t.path where t.path > walk.behind and t.path > ${from})
            union all (select n.path from memory_namespaces n where n.workspace = ${workspace}
              and n.path ${below} n.path < t.upto and n.path > ${from} order by n.path limit 1)
            union all (select m.session_id from agent_memory m where m.workspace = ${workspace}
              and m.agent_id = t.payer and m.session_id ${below} m.session_id < t.upto
              and m.session_id > ${from} and ${live} order by m.session_id limit 1)
          ) found) first
        where t.upto > walk.behind and first.path is not null order by t.path limit 1
      ) following
      where walk.step < ${STEPS_MAX} and starts_with(following.path, ${from})
    )
    select walk.path, n.owner, n.readers, n.writers, walk.step from walk
    left join memory_namespaces n on n.workspace = ${workspace} and n.path = walk.path
      and exists (select from tops t where starts_with(walk.path, t.path))
    where walk.step > 0 and (right(walk.path, char_length(${ending}::text)) = ${ending} or walk.step = ${STEPS_MAX})
    limit ${limit + 1}`.execute(db)
  const last = rows.at(-1)
  return {
    rows: rows.filter(({ path }) => path.endsWith(ending)).map(({ step: _, ...row }) => row),
    stopped: last?.step === STEPS_MAX && rows.length <= limit ? last.path : undefined
  }
}

/** What the paths after a path that was shown are larger than. */
function behind(path: string, depth: number): string {
  return path.split('/').length - 2 >= depth ? `${path.slice(0, -1)}0` : path
}
