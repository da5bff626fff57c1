import pg from 'pg'
import { preparationFault } from './faults.js'

/**
 * What the service uses of `pg` beyond its documented interface. An upgrade of `pg` that breaks one of these uses fails
 * in test/postgres/pg-internals.test.ts.
 */

/** A statement for PostgreSQL. A connection prepares it once if it has a name. */
export interface Statement {
  name?: string
  text: string
  values?: readonly unknown[]
}

/** A statement that is sent before another one. Its rows are not returned. */
export interface PrefixStatement {
  name?: string
  text: string
  values?: ReadonlyArray<string | null>
  /** Looks at the columns of its row. @returns why the answer of the other statement must not be used, if so */
  check?: (columns: ReadonlyArray<string | null>) => Error | undefined
  /** It does not prepare the connection: a fault of it is thrown as a fault of the other statement is. */
  preparesNothing?: boolean
}

/** The members of pg's Connection that a query uses. The types of `pg` do not have all of them. */
interface Connection {
  stream: { cork?: () => void; uncork?: () => void }
  /** Name → text of what PostgreSQL has prepared, and of what was sent to be prepared and is not answered yet. */
  parsedStatements: Record<string, string | undefined>
  submittedNamedStatements: Record<string, string | undefined>
  parse: (message: { name?: string; text: string }) => void
  bind: (message: { statement?: string; values: ReadonlyArray<string | null> }) => void
  execute: (message: object) => void
}

/** The members of pg.Query that pg.Client calls. */
interface Query {
  name: string | undefined
  text: string
  submit(connection: Connection): Error | null
  handleDataRow(message: { fields: Array<string | null> }): void
  handleCommandComplete(message: unknown, connection: Connection): void
  handleError(error: Error, connection: Connection): void
}

type Callback = (error: Error | undefined, result: pg.QueryResult) => void

const Query = pg.Query as unknown as new (config: object, callback: Callback) => Query

/**
 * Sends a prefix of statements and one more statement in one round trip. PostgreSQL's extended protocol is one
 * transaction up to the Sync message, and only the last statement sends a Sync. So a setting that the prefix makes
 * "for the transaction" holds for the last statement and for nothing after it.
 *
 * `pg` has no such function: each of its queries sends its own Sync. Its `pipeline` option does not change that.
 */
class PrefixedQuery extends Query {
  /** Public: bench/programs/without-row-security.ts takes statements out. */
  prefix: readonly PrefixStatement[]
  private readonly own: Statement
  /** How many statements of the prefix PostgreSQL has completed. */
  private completed = 0
  /** Why the answer must not be used, if a check of the prefix says so. */
  refusal: Error | undefined
  /** Whether a statement failed that prepares the connection. */
  preparationFailed = false

  constructor(prefix: readonly PrefixStatement[], statement: Statement, callback: Callback) {
    const { name, text, values = [] } = statement
    super({ name, text, values, queryMode: 'extended' }, callback)
    this.prefix = prefix
    this.own = statement
  }

  override submit(connection: Connection): Error | null {
    connection.stream.cork?.()
    try {
      for (const { name, text, values = [] } of this.prefix) {
        if (
          name === undefined ||
          (connection.parsedStatements[name] === undefined && connection.submittedNamedStatements[name] === undefined)
        ) {
          connection.parse({ name, text })
          if (name !== undefined) connection.submittedNamedStatements[name] = text
        }
        connection.bind({ statement: name, values })
        connection.execute({})
      }
      const fault = super.submit(connection)
      this.expectNext()
      return fault
    } finally {
      connection.stream.uncork?.()
    }
  }

  /** pg.Client records what has been prepared under the name and text of its active query. */
  private expectNext(): void {
    const { name, text } = this.prefix[this.completed] ?? this.own
    this.name = name
    this.text = text
  }

  override handleDataRow(message: { fields: Array<string | null> }): void {
    const current = this.prefix[this.completed]
    if (current === undefined) super.handleDataRow(message)
    else this.refusal ??= current.check?.(message.fields)
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.completed === this.prefix.length) return super.handleCommandComplete(message, connection)
    this.completed++
    this.expectNext()
  }

  override handleError(error: Error, connection: Connection): void {
    const failed = this.prefix[this.completed]
    this.preparationFailed = failed !== undefined && failed.preparesNothing !== true
    // PostgreSQL skips all messages after a fault up to the Sync, so it has prepared none of these.
    for (const { name } of [...this.prefix.slice(this.completed), this.own])
      if (name !== undefined) connection.submittedNamedStatements[name] = undefined
    super.handleError(error, connection)
  }
}

/**
 * Runs a statement after a prefix, in one round trip and one transaction.
 * @throws what a `check` of the prefix returns; whatever PostgreSQL or the driver throws. A fault of a statement that
 * prepares the connection is a ConnectError: it could not be prepared, whatever the last statement is.
 */
export async function queryWithPrefix<R extends pg.QueryResultRow>(
  client: pg.ClientBase,
  prefix: readonly PrefixStatement[],
  statement: Statement
): Promise<pg.QueryResult<R>> {
  const { name, text, values } = statement
  if (prefix.length === 0) return client.query<R>({ name, text, values: values as unknown[] })
  return new Promise((resolve, reject) => {
    const query = new PrefixedQuery(prefix, statement, (error, result) => {
      const fault = query.refusal ?? (error && query.preparationFailed ? preparationFault(error) : error)
      // pg passes null if all went well.
      if (fault) reject(fault)
      else resolve(result as pg.QueryResult<R>)
    })
    client.query(query as unknown as pg.Submittable)
  })
}

/** The process id that the server, or a pooler in front of it, has told the client when it connected. */
export function processIdOf(client: pg.ClientBase): number | null {
  return (client as pg.ClientBase & { processID: number | null }).processID
}

/** Ends a connection at once. `client.end()` would wait for a server that may be gone. */
export function destroySocket(client: pg.Client): void {
  client.connection.stream.destroy()
}
