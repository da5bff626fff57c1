import { AppError } from '../kernel/errors.js'

/** What a fault of PostgreSQL or its driver means to a caller. Callers never see its text, which can hold values. */

/** Codes of sockets and of name look-ups. */
const NODE_CODE = /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH|ENOENT)$/

const READ_ONLY = '25006'
/**
 * The connection is lost, or is not in the state that the service left it in: inside a transaction that has failed, or,
 * behind some poolers, without the statements that were prepared on it or with others of the same name.
 */
const CONNECTION_CODE = /^(08...|28...|57P0.|25006|25P02|26000|42P05)$/

/** Classes of errors about names and rights, resources, the server's state, operators and the system. */
const WITHOUT_VALUES = /^(42|53|55|57|58)/

/** PostgreSQL cancelled a statement, or it waited too long for a lock, or its transaction took too long. */
const TOO_LONG = new Set(['57014', '55P03', '25P03', '25P04'])

/** PostgreSQL answers, but cannot serve anybody now. */
const UNFIT = new Set([
  '53300', // its connections are used up
  '53100',
  '53200', // its disk or memory is full
  '3D000', // the database is gone
  '42P01' // the tables are not there (yet): migrations are missing
])

/** Errors of pg 8 and pg-pool 3 have no code, only these texts. */
const POOL_BUSY = 'timeout exceeded when trying to connect'
const NOT_SENT = /^(Client has encountered a connection error|Client was closed)/
const LOST = /^(Connection terminated|Query read timeout|Connection ended|timeout expired)/

/** What pg says of a server that offers no TLS. */
export const NO_TLS = 'The server does not support SSL connections'

/** There is no usable connection: none could be made, or it could not be prepared. `cause` has the reason. */
export class ConnectError extends Error {
  readonly code: unknown
  /** @param reason for the log and the operator: PostgreSQL's or the system's own words, which hold no values here */
  constructor(
    cause: unknown,
    readonly reason = cause instanceof Error ? cause.message : String(cause)
  ) {
    super('The database gave no usable connection.', { cause })
    this.name = 'ConnectError'
    this.code = codeOf(cause)
  }
}

/** The server answers, but is a standby, or a primary that another server has replaced. */
export class ReadOnlyServer extends Error {
  readonly code = READ_ONLY
  constructor() {
    super('The database server is read-only.')
    this.name = 'ReadOnlyServer'
  }
}

/** The service cannot work with this database as it is. The message tells the operator why, and the cure. */
export class UnfitDatabase extends Error {
  override name = 'UnfitDatabase'
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** Whether the host gives no answer at all, so that another way of asking it would fail too. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof AggregateError) return isUnreachable(error.errors[0])
  const code = codeOf(error)
  if (code !== undefined) return NODE_CODE.test(code) && code !== 'ECONNRESET' && code !== 'EPIPE'
  return error instanceof Error && /timeout/.test(error.message)
}

/** Whether no connection of the pool became free in time. */
export function isPoolBusy(error: unknown): boolean {
  return error instanceof Error && error.message === POOL_BUSY
}

/** Whether the connection on which it happened, and others to the same server, cannot be used any more. */
export function isConnectionFault(error: unknown): boolean {
  if (!(error instanceof Error) || isPoolBusy(error)) return false
  if (error instanceof ConnectError) return true
  const code = codeOf(error)
  if (code === undefined)
    return (
      LOST.test(error.message) ||
      NOT_SENT.test(error.message) ||
      (error instanceof AggregateError && isConnectionFault(error.errors[0]))
    )
  return NODE_CODE.test(code) || CONNECTION_CODE.test(code)
}

/** What a fault of the prefix of a statement means: the connection cannot be prepared, whatever the statement is. */
export function preparationFault(error: Error): Error {
  return isConnectionFault(error) || TOO_LONG.has(codeOf(error) ?? '') ? error : new ConnectError(error)
}

/**
 * Whether PostgreSQL refused the statement, so that nothing of it is committed, and another statement may succeed. A
 * fault of the connection, a server that is unfit, and class 57 (cancelled) are not the statement's fault.
 */
export function isStatementFault(error: unknown): boolean {
  const code = codeOf(error) ?? ''
  return /^(?!57)[0-9A-Z]{5}$/.test(code) && !isConnectionFault(error) && !UNFIT.has(code)
}

/** Whether the connection had ended before the statement was sent. Then the statement can be sent on another one. */
export function neverRan(error: unknown): boolean {
  // 57P05: PostgreSQL ends an idle connection only while it waits for a statement.
  return error instanceof Error && (codeOf(error) === '57P05' || NOT_SENT.test(error.message))
}

/** Whether PostgreSQL took a transaction back because others wrote at the same time. The same again may succeed. */
export function isSerializationFault(error: unknown): boolean {
  const code = codeOf(error)
  return code === '40001' || code === '40P01'
}

/** Whether PostgreSQL ended a statement because it took too long. */
export function isTooLong(error: unknown): boolean {
  return codeOf(error) === '57014'
}

/** Whether the database is away, unfit or too busy for anybody, whatever was asked of it. */
export function isOfDatabase(error: unknown): boolean {
  return isPoolBusy(error) || isConnectionFault(error) || UNFIT.has(codeOf(error) ?? '')
}

export function explainFault(error: unknown): AppError | undefined {
  if (!(error instanceof Error)) return undefined
  const cause = { cause: error }
  if (isPoolBusy(error))
    return new AppError('SERVICE_UNAVAILABLE', 'All database connections of this server are busy.', cause)
  const code = codeOf(error)
  if (isConnectionFault(error) || (code !== undefined && UNFIT.has(code)))
    return new AppError('DATABASE_UNAVAILABLE', 'The database cannot be reached.', cause)
  if (code !== undefined && TOO_LONG.has(code)) {
    return new AppError('SERVICE_UNAVAILABLE', 'The database took longer than the server allows for one statement.', {
      ...cause,
      suggestions: [
        'Ask for less at once: a smaller limit, a narrower filter',
        'Wait retry_after seconds and call again'
      ]
    })
  }
  if (isSerializationFault(error))
    return new AppError('CONFLICT', 'Another call changed the same thing at the same moment.', cause)
  return undefined
}

/**
 * An error for the log, without values. PostgreSQL repeats a statement's values in message and detail, so of its errors
 * the log has the code, the table, the constraint, and the stack without its first line. What PostgreSQL and the driver
 * say of connections, rights, names and the server's state holds no values, and operators need it.
 */
export function loggableFault(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const { code, table, constraint, severity } = error as Error & Record<string, unknown>
  if (error instanceof ConnectError) return { type: error.name, code, reason: error.reason }
  if (isConnectionFault(error)) return { type: error.name, code, reason: error.message }
  const ofDatabase = severity !== undefined || typeof code === 'string'
  const reason = severity !== undefined && WITHOUT_VALUES.test(String(code)) ? error.message : undefined
  const stack = error.stack ?? ''
  const frames = stack.slice(stack.indexOf('\n    at '))
  return { type: error.name, code, reason, table, constraint, stack: ofDatabase ? frames : stack }
}
