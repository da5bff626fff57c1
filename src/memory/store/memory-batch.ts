import { INTO_AUDIT_LOG } from '../../audit/store/rows.js'
import type { Agent } from '../../kernel/agent.js'
import type { AuditRow, IdempotencyKey } from '../../kernel/receipt.js'
import { JsonText, stringify } from '../../kernel/json-text.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { isPath } from '../namespace.js'
import { type Where, writesOf } from './entries.js'

/** A value to store. */
export interface NewValue {
  where: Where
  /** As `spellingOf` says. */
  key: string
  /** The value as JSON text. */
  value: string
  metadata: Record<string, unknown>
  /** Seconds from now, 0 for ever. */
  expires_in: number
  overwrite: boolean
  /** The version that the value must have; 0: there must be none. */
  if_version?: number
  /** The agent_id of who writes. */
  author: string
  /** Absent: somebody else writes the audit row. */
  audit?: AuditRow
  idempotencyKey?: IdempotencyKey
}

export interface Stored {
  key: string
  stored_at: string
  expires_at: string | null
  version: number
}

/** What became of a value: stored; its idempotency key was there before; or refused, for what is stored already. */
export type Outcome = Stored | 'repeated' | 'refused'

/** What an agent_memory row becomes. A version is drawn under the row's lock, so that a later one is larger. */
const become = (from: string) => `
  value = ${from}.value, metadata = ${from}.metadata, value_size = ${from}.value_size, updated_by = ${from}.updated_by,
  expires_in = ${from}.expires_in, expires_at = clock_timestamp() + make_interval(secs => ${from}.expires_in),
  revision = nextval('memory_versions'), version = ${writesOf('old')} + 1, updated_at = clock_timestamp(),
  created_at = case when old.expires_at <= clock_timestamp() then clock_timestamp() else old.created_at end`

const returned = `old.agent_id, old.session_id, old.key, old.revision as version, old.updated_at as stored_at,
  old.expires_at`

/**
 * A new value was created when it was last changed: one reading of the clock, where two may be a millisecond apart.
 * @param which of the values it stores @param over which of those that are there it replaces
 */
const insert = (which: string, over: string) => `
  insert into agent_memory as old (workspace, agent_id, session_id, key, value, metadata, value_size, updated_by,
    expires_in, expires_at, created_at, updated_at)
  select $1, w.owner, w.scope, w.key, w.value, w.metadata, w.value_size, w.updated_by, w.expires_in,
    t.now + make_interval(secs => w.expires_in), t.now, t.now
  from wanted w, (select clock_timestamp() as now) t where ${which} order by w.owner, w.scope, w.key
  on conflict (workspace, agent_id, session_id, key) do update set ${become('excluded')} where ${over}
  returning ${returned}`

const PLAIN = `stored as (${insert('true', 'true')})`

/** Each with a condition of its own, since `on conflict` knows nothing of what else was asked for. */
const CONDITIONAL = `replaced as (${insert('w.overwrite and w.if_version is null', 'true')}
  ), fresh as (${insert(
    '(not w.overwrite and w.if_version is null) or w.if_version = 0',
    'old.expires_at <= clock_timestamp()'
  )}
  ), matching as (
    update agent_memory old set ${become('w')} from wanted w
    where w.if_version > 0 and w.overwrite and old.workspace = $1 and old.agent_id = w.owner
      and old.session_id = w.scope and old.key = w.key and coalesce(old.revision, old.version) = w.if_version
      and (old.expires_at is null or old.expires_at > clock_timestamp())
    returning ${returned}
  ), stored as (select * from replaced union all select * from fresh union all select * from matching)`

/**
 * Many values in one statement, which commits by itself: the values, audit rows and idempotency keys. Rows are locked
 * in the order of their keys. No key comes twice in one statement.
 *
 * An idempotency key that another call takes at this very moment makes the statement fail as a whole with a unique
 * violation.
 */
const batch = (store: string) => `
  with wanted as materialized (
    select q.r, q.owner, q.scope, q.key, coalesce(q.value, 'null') as value, q.metadata, q.value_size, q.updated_by,
      q.expires_in, q.overwrite, q.if_version, q.author, q.event_type, q.session_id, q.action, q.resource, q.result,
      q.request_id, q.audit_metadata, q.once, q.request_hash
    from json_to_recordset($2) as q (r int, owner text, scope text, key text, value jsonb, metadata jsonb,
      value_size int, updated_by text, expires_in int, overwrite boolean, if_version bigint, author text,
      event_type text, session_id text, action text, resource text, result text, request_id text, audit_metadata jsonb,
      once text, request_hash text)
    where q.once is null or not exists (
      select from idempotency_keys k where k.workspace = $1 and k.agent_id = q.author and k.key = q.once)
  ), ${store}, placed as materialized (
    select w.r, s.* from stored s join wanted w on w.owner = s.agent_id and w.scope = s.session_id and w.key = s.key
  ), audited as (
    insert into ${INTO_AUDIT_LOG}
    select $1, w.event_type, w.author, w.session_id, w.action, w.resource, w.result, w.request_id,
      w.audit_metadata || jsonb_build_object('version', placed.version)
    from placed join wanted w on w.r = placed.r where w.request_id is not null order by w.r
  ), kept as (
    insert into idempotency_keys (workspace, agent_id, key, request_hash, answer)
    select $1, w.author, w.once, decode(w.request_hash, 'hex'), jsonb_build_object('key', placed.key,
      'version', placed.version,
      'stored_at', to_char(placed.stored_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'expires_at', to_char(placed.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    from placed join wanted w on w.r = placed.r where w.once is not null
  )
  select r, true as accepted, key, version, stored_at, expires_at from placed
  union all select w.r, false, null, null, null, null from wanted w where w.r not in (select r from placed)`

type Values = [workspace: string, requests: string]

const storePlain = defineStatement<Values, Row>('agent_memory.batch', batch(PLAIN))
const storeConditional = defineStatement<Values, Row>('agent_memory.batch_if', batch(CONDITIONAL))

type Row = { r: number } & ({ accepted: false } | ({ accepted: true } & Stored))

/**
 * The same for values of one call, all by one author, whose audit row and idempotency key the kernel writes. A call may
 * have hundreds, so they come as columns: a list of JSON objects costs PostgreSQL more. An empty list stands for a
 * column of nulls.
 */
const ofOneCall = (store: string) => `
  with wanted as materialized (
    select ($3::text[])[q.place] as owner, ($4::text[])[q.place] as scope, q.key, q.value, q.value_size,
      case when starts_with(($4::text[])[q.place], '/') then $2 end as updated_by, q.expires_in, q.if_version,
      coalesce(q.metadata, '{}') as metadata, coalesce(q.overwrite, true) as overwrite
    from unnest($5::int[], $6::text[], $7::jsonb[], $8::int[], $9::int[], $10::bigint[], $11::jsonb[], $12::boolean[])
      as q (place, key, value, value_size, expires_in, if_version, metadata, overwrite)
  ), ${store}
  select agent_id as owner, session_id as scope, key, version, stored_at, expires_at from stored`

type Columns = [workspace: string, author: string, ...columns: Array<readonly unknown[]>]

const storePlainOfOne = defineStatement<Columns, Placed>('agent_memory.set', ofOneCall(PLAIN))
const storeConditionalOfOne = defineStatement<Columns, Placed>('agent_memory.set_if', ofOneCall(CONDITIONAL))

type Placed = Where & Stored

/**
 * Stores values of one call, no two under the same key, all by one author.
 * @returns what was stored; undefined where it is refused
 */
export async function storeOfOneCall(
  db: Db,
  { workspace, agent_id }: Pick<Agent, 'workspace' | 'agent_id'>,
  values: readonly NewValue[]
): Promise<Array<Stored | undefined>> {
  const places = new Map<string, { number: number; where: Where }>()
  const numbers = values.map(({ where }) => {
    const name = placeName(where, '')
    const place = places.get(name) ?? { number: places.size + 1, where }
    places.set(name, place)
    return place.number
  })
  const wheres = [...places.values()].map(({ where }) => where)
  const column = <T>(of: (value: NewValue) => T) => values.map(of)
  /** A column; an empty list if all values have the usual one. */
  const unusual = <T>(usual: T, of: (value: NewValue) => T) =>
    values.every(each => of(each) === usual) ? [] : column(of)
  const rows = await (isPlain(values) ? storePlainOfOne : storeConditionalOfOne)(db, [
    workspace,
    agent_id,
    wheres.map(({ owner }) => owner),
    wheres.map(({ scope }) => scope),
    numbers,
    column(({ key }) => key),
    column(({ value }) => value),
    column(({ value }) => Buffer.byteLength(value)),
    unusual(null, ({ expires_in }) => (expires_in === 0 ? null : expires_in)),
    unusual(null, ({ if_version }) => if_version ?? null),
    unusual('{}', ({ metadata }) => JSON.stringify(metadata)),
    unusual(true, ({ overwrite }) => overwrite)
  ])
  const stored = new Map(
    rows.map(({ owner, scope, key, version, stored_at, expires_at }) => [
      placeName({ owner, scope }, key),
      { key, stored_at, expires_at, version }
    ])
  )
  return values.map(({ where, key }) => stored.get(placeName(where, key)))
}

export function placeName({ owner, scope }: Where, key: string): string {
  return `${owner}\n${scope}\n${key}`
}

function isPlain(values: readonly NewValue[]): boolean {
  return values.every(({ overwrite, if_version }) => overwrite && if_version === undefined)
}

/** Stores values of one workspace, no two under the same key; every outcome in the place of its value. */
export async function storeValues(db: Db, workspace: string, values: readonly NewValue[]): Promise<Outcome[]> {
  const rows = await (isPlain(values) ? storePlain : storeConditional)(db, [
    workspace,
    stringify(values.map(requestOf))
  ])
  const outcomes: Outcome[] = values.map(() => 'repeated')
  for (const row of rows) {
    if (!row.accepted) outcomes[row.r] = 'refused'
    else {
      const { key, version, stored_at, expires_at } = row
      outcomes[row.r] = { key, stored_at, expires_at, version }
    }
  }
  return outcomes
}

function columnsOf({ where, key, value, metadata, expires_in, author }: NewValue) {
  return {
    owner: where.owner,
    scope: where.scope,
    key,
    value: new JsonText(value),
    metadata,
    value_size: Buffer.byteLength(value),
    updated_by: isPath(where.scope) ? author : null,
    expires_in: expires_in === 0 ? null : expires_in
  }
}

function requestOf(request: NewValue, r: number) {
  const { audit, idempotencyKey: once, author, overwrite, if_version } = request
  return {
    ...columnsOf(request),
    r,
    author,
    overwrite,
    if_version,
    ...(audit !== undefined && {
      event_type: audit.event_type,
      session_id: audit.session_id,
      action: audit.action,
      resource: audit.resource,
      result: audit.result,
      request_id: audit.request_id,
      audit_metadata: audit.metadata
    }),
    once: once?.key,
    request_hash: once?.request_hash.toString('hex')
  }
}
