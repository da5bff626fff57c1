import { format } from 'node:util'
import { ConfigError } from '../config/config.js'
import { AppError } from '../kernel/errors.js'
import { EmbeddedError } from '../postgres/embedded/index.js'
import { MigrationError } from '../postgres/migrate.js'
import { CommandError } from './command.js'

export { CommandError }

const SENTENCES = [CommandError, ConfigError, EmbeddedError, MigrationError]

/**
 * What the operator reads of an error that ends a command. It is one sentence where the operator can do something about
 * it. Anything else is a fault of the program, and the stack helps to mend it.
 */
export function explain(error: unknown): string {
  if (SENTENCES.some(kind => error instanceof kind)) return (error as Error).message
  if (error instanceof AppError && error.status < 500) {
    const { given, allowed } = error.context ?? {}
    return [
      error.message,
      ...(typeof given === 'string' ? [`Found: ${given}. Expected: ${String(allowed)}.`] : [])
    ].join(' ')
  }
  const { code, syscall, path, severity, message } = error as NodeJS.ErrnoException & { severity?: unknown }
  if (typeof severity === 'string') return `PostgreSQL refused: ${message} (${code}).`
  if (typeof code === 'string' && typeof syscall === 'string')
    return `The system refused ${syscall}${path === undefined ? '' : ` of ${path}`} (${code}).`
  return format(error)
}
