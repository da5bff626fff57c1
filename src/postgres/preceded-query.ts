import pg from 'pg'
import { preparationFault } from './faults.js'

/** A statement and what stands for its placeholders. One with a name is prepared once for each connection. */
export interface Statement {
  name?: string
  text: string
  values?: readonly unknown[]
  /** Looks at the row it answers with. @returns why the connection must not be used, if so */
  check?: (row: ReadonlyArray<string | null>) => Error | undefined
}

/** What of a connection of pg is used here; its types have none of it. */
interface Wire {
  stream: { cork?: () => void; uncork?: () => void }
  parsedStatements: Record<string, string | undefined>
  submittedNamedStatements: Record<string, string | undefined>
  parse: (of: { name?: string; text: string }) => void
  bind: (of: { statement?: string; values: readonly unknown[] }) => void
  execute: (of: object) => void
}

interface PgQuery {
  name: string | undefined
  text: string
  submit(connection: Wire): Error | null
  handleDataRow(message: { fields: Array<string | null> }): void
  handleCommandComplete(message: unknown, connection: Wire): void
  handleError(error: Error, connection: Wire): void
}

const PgQuery = pg.Query as unknown as new (
  config: object,
  callback: (error: Error | undefined, result: pg.QueryResult) => void
) => PgQuery

/**
 * A statement that is sent together with others before it: one round trip. Up to the one Sync at the end, PostgreSQL's
 * extended protocol is one transaction, so what the first of them sets "for the transaction" holds for the last, and
 * for nobody after it. The answers of those before it are passed over; a fault of theirs is its own.
 */
class PrecededQuery extends PgQuery {
  /** Those before it that have not been answered yet. */
  private readonly awaited: Statement[]
  private readonly own: { name: string | undefined; text: string }
  /** What a check of those before it found wrong; the answer is not to be used then. */
  refusal: Error | undefined
  /** Whether one of those before it failed. */
  unprepared = false

  constructor(
    before: readonly Statement[],
    { name, text, values = [] }: Statement,
    callback: (error: Error | undefined, result: pg.QueryResult) => void
  ) {
    super({ name, text, values, queryMode: 'extended' }, callback)
    this.awaited = [...before]
    this.own = { name, text }
  }

  override submit(connection: Wire): Error | null {
    connection.stream.cork?.()
    try {
      for (const { name, text, values = [] } of this.awaited) {
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
      this.answerTo(this.awaited[0] ?? this.own)
      return fault
    } finally {
      connection.stream.uncork?.()
    }
  }

  /** The client notes under the query's name what has been parsed. */
  private answerTo({ name, text }: Pick<Statement, 'name' | 'text'>): void {
    this.name = name
    this.text = text
  }

  override handleDataRow(message: { fields: Array<string | null> }): void {
    const [before] = this.awaited
    if (before === undefined) super.handleDataRow(message)
    else this.refusal ??= before.check?.(message.fields)
  }

  override handleCommandComplete(message: unknown, connection: Wire): void {
    if (this.awaited.length === 0) return super.handleCommandComplete(message, connection)
    this.awaited.shift()
    this.answerTo(this.awaited[0] ?? this.own)
  }

  override handleError(error: Error, connection: Wire): void {
    this.unprepared = this.awaited.length > 0
    // What came after the fault was not looked at: none of it has been prepared.
    for (const { name } of [...this.awaited, this.own])
      if (name !== undefined) connection.submittedNamedStatements[name] = undefined
    super.handleError(error, connection)
  }
}

/**
 * Runs a statement with others before it, all in one round trip and one transaction.
 * @throws what a `check` of those before it found wrong; whatever PostgreSQL or the driver throws
 */
export async function queryAfter<R extends pg.QueryResultRow>(
  client: pg.ClientBase,
  before: readonly Statement[],
  statement: Statement
): Promise<pg.QueryResult<R>> {
  if (before.length === 0) return client.query<R>({ ...statement, values: statement.values as unknown[] })
  return new Promise((resolve, reject) => {
    const query = new PrecededQuery(before, statement, (error, result) => {
      const fault = query.refusal ?? (error && query.unprepared ? preparationFault(error) : error)
      // pg says null where all went well.
      if (fault) reject(fault)
      else resolve(result as pg.QueryResult<R>)
    })
    client.query(query as unknown as pg.Submittable)
  })
}
