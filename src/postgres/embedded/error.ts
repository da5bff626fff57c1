/** What the operator reads: a finished sentence or two that says what is wrong and what to do. */
export class EmbeddedError extends Error {
  override name = 'EmbeddedError'
}

/** Somebody else owns the data directory: the one fault that waiting and trying again does not cure. */
export class HeldError extends EmbeddedError {
  override name = 'HeldError'
}

export const useDatabaseUrl =
  'set DATABASE_URL to a PostgreSQL database, such as postgres://user:password@host:5432/name'

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? ''
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
