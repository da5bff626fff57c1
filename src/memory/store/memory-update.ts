import { type RawBuilder, sql } from 'kysely'
import { AppError } from '../../kernel/errors.js'
import type { Db } from '../../postgres/schema.js'
import { isPath } from '../namespace.js'
import { changedNow, currentVersion, live, versionConflict, versionOf, type Where, writesOf } from './entries.js'

export const OPERATIONS = ['increment', 'append', 'merge'] as const
export type Operation = (typeof OPERATIONS)[number]

/** What the value in the table must be, in words, and what becomes of it. `v` is what was given. */
const RULES: Record<
  Operation,
  {
    of: string
    fits: (v: RawBuilder<unknown>) => RawBuilder<boolean>
    result: (v: RawBuilder<unknown>) => RawBuilder<unknown>
  }
> = {
  increment: {
    of: 'a number',
    fits: () => sql<boolean>`jsonb_typeof(agent_memory.value) = 'number'`,
    result: v => sql`to_jsonb((agent_memory.value #>> '{}')::numeric + (${v} #>> '{}')::numeric)`
  },
  append: {
    of: 'a list, or a text for a text',
    fits: v => sql<boolean>`(jsonb_typeof(agent_memory.value) = 'array'
      or (jsonb_typeof(agent_memory.value) = 'string' and jsonb_typeof(${v}) = 'string'))`,
    result:
      v => sql`case jsonb_typeof(agent_memory.value) when 'array' then agent_memory.value || jsonb_build_array(${v})
      else to_jsonb((agent_memory.value #>> '{}') || (${v} #>> '{}')) end`
  },
  merge: {
    of: 'an object',
    fits: () => sql<boolean>`jsonb_typeof(agent_memory.value) = 'object'`,
    result: v => sql`agent_memory.value || ${v}`
  }
}

export interface Change {
  where: Where
  /** As `spellingOf` says. */
  key: string
  op: Operation
  /** JSON text. */
  value: string
  if_version?: number
  author: string
  /** Bytes that the result may have. */
  bytes_max: number
}

/** Beyond it a double does not hold every whole number, and clients would read another one. */
const EXACT_MAX = sql`9007199254740991`

/**
 * Changes a value in one statement, under the lock of its row: no other change is lost. What is absent or expired is 0,
 * an empty list or an empty object before.
 * @throws AppError VERSION_CONFLICT; INVALID_INPUT if the value is of another kind; CONTENT_TOO_LARGE
 */
export async function change(
  db: Db,
  workspace: string,
  { where: { owner, scope }, key, op, value, if_version, author, bytes_max }: Change
): Promise<{ value: unknown; version: number; expires_at: string | null }> {
  const given = sql`(select v from given)`
  const { fits, result } = RULES[op]
  const ended = sql<boolean>`agent_memory.expires_at <= clock_timestamp()`
  const start = op === 'append' ? sql`jsonb_build_array(${given})` : given
  const made = sql`case when ${ended} then ${start} else ${result(given)} end`
  const updated_by = isPath(scope) ? author : null
  const set = sql`value = ${made}, value_size = octet_length((${made})::text), updated_by = ${updated_by},
    metadata = case when ${ended} then '{}' else agent_memory.metadata end,
    created_at = case when ${ended} then clock_timestamp() else agent_memory.created_at end,
    expires_at = case when ${ended} then null else agent_memory.expires_at end,
    expires_in = case when ${ended} then null else agent_memory.expires_in end,
    revision = nextval('memory_versions'), version = ${sql.raw(writesOf('agent_memory'))} + 1,
    updated_at = clock_timestamp()`
  const exact =
    op === 'increment'
      ? sql<boolean>`abs((${result(given)} #>> '{}')::numeric) <= ${EXACT_MAX}`
      : sql<boolean>`octet_length((${result(given)})::text) <= ${bytes_max}`
  // A case, since PostgreSQL may look at the parts of an `and` in any order.
  const may = sql<boolean>`case when ${ended} then ${(if_version ?? 0) === 0}
    when ${if_version !== undefined} and ${versionOf} <> ${if_version ?? 0} then false
    when ${fits(given)} then ${exact} else false end`
  const returning = sql`returning agent_memory.value, agent_memory.revision as version, agent_memory.expires_at`
  const { rows } = await sql<{ value: unknown; version: number; expires_at: string | null }>`
    with given as materialized (select ${value}::jsonb as v) ${
      if_version !== undefined && if_version > 0
        ? sql`update agent_memory set ${set} where workspace = ${workspace} and agent_id = ${owner}
          and session_id = ${scope} and key = ${key} and ${may} ${returning}`
        : sql`insert into agent_memory (workspace, agent_id, session_id, key, value, value_size, updated_by, created_at,
            updated_at)
          select ${workspace}, ${owner}, ${scope}, ${key}, ${start}, octet_length((${start})::text), ${updated_by},
            t.now, t.now
          from (select clock_timestamp() as now) t
          on conflict (workspace, agent_id, session_id, key) do update set ${set} where ${may} ${returning}`
    }`.execute(db)
  if (rows[0] !== undefined) return rows[0]
  const version = await currentVersion(db, workspace, { owner, scope }, key)
  if (if_version !== undefined && if_version !== version) throw versionConflict(version)
  throw await whyNot(db, workspace, { owner, scope }, key, op, sql`${value}::jsonb`)
}

async function whyNot(
  db: Db,
  workspace: string,
  { owner, scope }: Where,
  key: string,
  op: Operation,
  given: RawBuilder<unknown>
): Promise<AppError> {
  const { fits, of } = RULES[op]
  const { rows } = await sql<{ kind: string; fits: boolean }>`
    select jsonb_typeof(value) as kind, ${fits(given)} as fits from agent_memory where workspace = ${workspace}
      and agent_id = ${owner} and session_id = ${scope} and key = ${key} and ${live}`.execute(db)
  const [stored] = rows
  if (stored === undefined) return changedNow()
  if (!stored.fits)
    return new AppError('INVALID_INPUT', `The value under that key is of another kind than ${op} changes.`, {
      context: { argument: 'op', given: `${op} of a value of type ${stored.kind}`, allowed: of },
      suggestions: ['Read it with get_memory, and store another with set_memory and if_version']
    })
  if (op === 'increment')
    return new AppError('INVALID_INPUT', 'The number would be larger than clients read exactly.', {
      context: { argument: 'value', given: 'too much', allowed: 'a sum of at most 9007199254740991' },
      suggestions: ['Begin anew under another key']
    })
  return new AppError('CONTENT_TOO_LARGE', 'The value would be larger than a value may be.', {
    context: { argument: 'value' },
    suggestions: ['Begin a new value under another key']
  })
}
