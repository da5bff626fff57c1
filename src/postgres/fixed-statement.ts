import { type Compilable, CompiledQuery, type RawBuilder } from 'kysely'
import type { Db } from './schema.js'

/** Stands for a value where a statement is put together. */
class Placeholder {
  constructor(readonly name: string) {}
}

const places = new Proxy({}, { get: (_target, name) => new Placeholder(String(name)) })

/**
 * A statement whose text is the same whatever its values are, put together once. Kysely takes as long for a long one as
 * PostgreSQL for running it.
 * @param build the statement, with a place for each value
 */
export function fixedStatement<V extends object, R>(
  build: (db: Db, values: V) => RawBuilder<R> | Compilable<R>
): (db: Db, values: V) => Promise<R[]> {
  let made: CompiledQuery | undefined
  return async (db, values) => {
    made ??= build(db, places as V).compile(db)
    const parameters = made.parameters.map(each =>
      each instanceof Placeholder ? (values as Record<string, unknown>)[each.name] : each
    )
    return (await db.executeQuery<R>(CompiledQuery.raw(made.sql, parameters))).rows
  }
}
