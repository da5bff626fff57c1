import { AppError } from '../core/errors.js'

/** What a fault of PostgreSQL or its driver means to a caller. Only codes are looked at; their texts go nowhere. */

const UNREACHABLE = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT',
  '57P01', '57P02', '57P03', // shutting down, crashed, starting up
  '53300', // its connections are used up
  '53100', '53200', // its disk or memory is full
  '25006', // it has become a read-only standby
  '28P01', '28000', '3D000', // it refuses us, or the database is gone
  '42P01' // the tables are not there (yet): migrations are missing
])

export function explainFault (error: unknown): AppError | undefined {
  if (!(error instanceof Error)) return undefined
  const code = (error as { code?: unknown }).code
  const of = { cause: error }
  if (typeof code === 'string') {
    if (UNREACHABLE.has(code) || code.startsWith('08')) return unavailable(error)
    if (code === '57014' || code === '55P03' || code === '25P03') {
      return new AppError('SERVICE_UNAVAILABLE', 'The database took longer than the server allows for one statement.', { ...of, suggestions: ['Ask for less at once: a smaller limit, a narrower filter', 'Wait retry_after seconds and call again'] })
    }
    if (code === '40P01' || code === '40001') return new AppError('CONFLICT', 'Another call changed the same thing at the same moment.', of)
    return undefined
  }
  // Errors of the driver have no code, only these texts (pg 8, pg-pool 3).
  if (error.message === 'timeout exceeded when trying to connect') {
    return new AppError('SERVICE_UNAVAILABLE', 'All database connections of this server are busy.', of)
  }
  if (/^(Connection terminated|Client has encountered a connection error|Query read timeout|Connection ended|Client was closed|timeout expired)/.test(error.message)) return unavailable(error)
  return error instanceof AggregateError ? explainFault(error.errors[0]) : undefined
}

function unavailable (cause: Error): AppError {
  return new AppError('DATABASE_UNAVAILABLE', 'The database cannot be reached.', { cause })
}

/**
 * An error for the log: what and where, without values. PostgreSQL repeats a statement's values in message and detail, so
 * for its errors only code, table and constraint are kept, and the stack without its first line.
 */
export function loggableFault (error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const { code, table, constraint, severity } = error as { code?: unknown, table?: unknown, constraint?: unknown, severity?: unknown }
  const ofDatabase = severity !== undefined || typeof code === 'string'
  const stack = error.stack ?? ''
  const frames = stack.slice(stack.indexOf('\n    at '))
  return { type: error.name, code, table, constraint, stack: ofDatabase ? frames : stack }
}
