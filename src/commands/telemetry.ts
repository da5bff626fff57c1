import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.js'
import { trackEpisodes } from '../postgres/episodes.js'
import { openTelemetry, TelemetryMissing } from '../telemetry/open.js'
import type { Telemetry } from '../telemetry/telemetry.js'
import { name, version } from '../version.js'
import { CommandError } from './failure.js'

/**
 * Opens the export of spans and metrics, if OTEL_EXPORTER_OTLP_ENDPOINT says where to.
 * @throws CommandError if the packages for it are not installed
 */
export async function telemetryOf(
  { otlp_endpoint, metric_interval_ms }: Config,
  replica: string
): Promise<Telemetry | undefined> {
  if (otlp_endpoint === undefined) return undefined
  try {
    return await openTelemetry({ name, version, replica, metric_interval_ms })
  } catch (error) {
    throw error instanceof TelemetryMissing ? new CommandError(error.message) : error
  }
}

/** Logs what OpenTelemetry says: of an export that fails again and again, when that begins and when it is over. */
export function logProblems(telemetry: Telemetry, { metric_interval_ms }: Config, logger: FastifyBaseLogger): void {
  const exports = trackEpisodes({
    onBegin(why) {
      logger.warn({ why }, 'the collector of OpenTelemetry does not take what it is sent')
    },
    onEnd(times, seconds) {
      logger.info({ times, seconds }, 'no longer: the collector of OpenTelemetry does not take what it is sent')
    },
    quiet_ms: Math.max(30_000, 2 * metric_interval_ms)
  })
  telemetry.sayProblems({
    said(sentence) {
      logger.warn({ opentelemetry: sentence }, 'OpenTelemetry reports a problem')
    },
    failed: exports.fault
  })
}
