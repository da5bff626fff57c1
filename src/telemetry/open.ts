import type { Telemetry, TelemetryOptions } from './telemetry.js'

/** OpenTelemetry is wanted and not installed. The message is for the operator. */
export class TelemetryMissing extends Error {}

/**
 * Loads the packages of OpenTelemetry, which are optional, and opens the export.
 * @throws TelemetryMissing
 */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  try {
    const { openOtlp } = await import('./otlp.js')
    return openOtlp(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new TelemetryMissing(
      'OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages of OpenTelemetry are not installed. They are optional: ' +
        'install with them (npm install --include=optional; the image: --build-arg TELEMETRY=on), or unset it.'
    )
  }
}
