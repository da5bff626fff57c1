import { type Compilable, CompiledQuery, type QueryResult, type RawBuilder } from 'kysely'
import type { Db } from './schema.js'
import { type Plan, withPlan } from './planned-query.js'
import { driverOf } from './scope.js'
import { ENDS_AFTER_A_SECOND } from './scope-prefix.js'
import { nameFor } from './statement-names.js'

/**
 * How SQL is said:
 *
 * - A statement whose text never changes: `defineStatement`. It is put together once and prepared under its own name.
 * - A statement that Kysely builds anew for each call: `.execute(db)`. A connection prepares a text that comes again
 *   (statement-names.ts). Where PostgreSQL would plan it badly: `plannedOnce(db, query)`, `plannedEachTime(db, query)`.
 *
 * PostgreSQL plans a prepared statement each time for its first five runs, and then decides whether one plan for all
 * values is as good.
 */

/** A value whose place in the statement is known, before the value is. */
class Place {
  constructor(readonly key: string) {}
}

const places = new Proxy({}, { get: (_target, key) => new Place(String(key)) })

type Build<V, R> = (db: Db, values: V) => RawBuilder<R> | Compilable<R>

interface Options {
  /** See PlannedStatement (planned-query.ts). Its values are texts. */
  withNext?: boolean
}

interface Made {
  name: string
  text: string
  /** The parameters in their order; a Place stands for a value. */
  parameters: readonly unknown[]
}

/**
 * A statement whose text is the same whatever its values are. It is put together once: that takes Kysely as long for a
 * long statement as PostgreSQL takes to run it. Outside a transaction it does not go through Kysely at all. (Measured
 * with a select of one row: the service's CPU is 92 µs a call, through Kysely 133 µs.)
 *
 * @param label what people see in pg_prepared_statements: the table, a dot, what is done
 * @param source the text, with $1 for the first of a list of values; or a function that builds the statement and is
 * given a place for each named value. It runs once.
 * @param plan `once` for a statement by keys, whose one plan is right for all values and dear to make. Left to itself
 * PostgreSQL plans a range, `seq > $1 and seq <= $2`, each time in a long session: it takes the range for half a
 * percent of the messages. `once, within a second` also ends it then: see `withinASecond`.
 */
export function defineStatement<V extends object, R>(
  label: string,
  source: string | Build<V, R>,
  plan?: 'once' | 'once, within a second',
  { withNext }: Options = {}
): (db: Db, values: V) => Promise<R[]> {
  let made: Made | undefined
  return async (db, values) => {
    made ??= make(label, source, db)
    const { name, text, parameters } = made
    const given = Array.isArray(values)
      ? (values as readonly unknown[])
      : parameters.map(each => (each instanceof Place ? values[each.key as keyof V] : each))
    const driver = driverOf(db)
    if (driver !== undefined) return (await driver.run({ name, text, values: given, plan })).rows as R[]
    return (await db.executeQuery<R>(withPlan(CompiledQuery.raw(text, [...given]), plan, name, withNext))).rows
  }
}

function make<V, R>(label: string, source: string | Build<V, R>, db: Db): Made {
  if (typeof source === 'string') return { name: nameFor(label, source), text: source, parameters: [] }
  const { sql, parameters } = source(db, places as V).compile(db)
  return { name: nameFor(label, sql), text: sql, parameters }
}

/** Runs a statement whose one plan is right for all values and dear to make: see `defineStatement`. */
export function plannedOnce<R>(db: Db, query: RawBuilder<R> | Compilable<R>): Promise<QueryResult<R>> {
  return execute(db, query, 'once')
}

/**
 * Runs a statement without preparing it: its best plan depends on what is looked for, or it has another text for every
 * number of words.
 */
export function plannedEachTime<R>(db: Db, query: RawBuilder<R> | Compilable<R>): Promise<QueryResult<R>> {
  return execute(db, query, 'each time')
}

function execute<R>(db: Db, query: RawBuilder<R> | Compilable<R>, plan: Plan): Promise<QueryResult<R>> {
  return db.executeQuery<R>(withPlan(query.compile(db), plan))
}

/**
 * Runs a statement as `plannedEachTime` does, and ends it after a second: one that a caller can make as dear as it
 * likes.
 * @throws what isTooLong (faults.ts) knows
 */
export function withinASecond<R>(db: Db, query: RawBuilder<R> | Compilable<R>): Promise<QueryResult<R>> {
  return execute(db, query, 'within a second')
}

/**
 * From here on PostgreSQL ends each statement of the transaction after a second, waiting for locks included. The
 * statement then throws what isTooLong (faults.ts) knows.
 */
export async function endWithinASecond(tx: Db): Promise<void> {
  await setASecond(tx, [])
}

const setASecond = defineStatement('scs.second', `select ${ENDS_AFTER_A_SECOND}`, undefined, { withNext: true })
