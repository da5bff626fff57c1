import type { Config } from '../config/config.js'
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
