/** An error for the operator. Its message says in full sentences what is wrong and what to do. */
export class EmbeddedError extends Error {
  override name = 'EmbeddedError'
}

/** Another server owns the data directory, so that retrying does not help. */
export class InUseError extends EmbeddedError {
  override name = 'InUseError'
}

export const useDatabaseUrl =
  'set DATABASE_URL to a PostgreSQL database, such as postgres://user:password@host:5432/name'

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? ''
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
