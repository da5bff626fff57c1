import { isatty } from 'node:tty'
import pino from 'pino'
import type { Config } from '../config/config.js'
import type { Telemetry } from '../telemetry/telemetry.js'

/**
 * The logger of a process: lines of JSON, or lines for people if LOG_FORMAT says so or a terminal reads them.
 * @param fd 1: standard output, 2: standard error
 * @param telemetry undefined: lines name no trace
 */
export async function createLogger(
  { log_level, log_format }: Pick<Config, 'log_level' | 'log_format'>,
  replica: string,
  fd: 1 | 2,
  telemetry?: Telemetry
): Promise<pino.Logger> {
  const options: pino.LoggerOptions = {
    level: log_level,
    base: { replica },
    timestamp: pino.stdTimeFunctions.isoTime,
    ...(telemetry !== undefined && { mixin: () => telemetry.tracing.ids() ?? {} })
  }
  if (log_format === 'json' || (log_format === 'auto' && !isatty(fd))) return pino(options, pino.destination(fd))
  // Loaded only here: it costs the start some tens of milliseconds.
  const { default: pretty } = await import('pino-pretty')
  return pino(
    options,
    pretty({
      destination: fd,
      sync: true,
      colorize: isatty(fd) && (process.env.NO_COLOR ?? '') === '',
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'replica',
      singleLine: true
    })
  )
}
