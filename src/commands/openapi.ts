import { openApi } from '../http/openapi.js'
import { version } from '../version.js'
import { describeService } from './describe.js'

export const USAGE = 'openapi takes no arguments; it prints the OpenAPI document.'

/** Prints the OpenAPI document. It needs no database. */
export async function openapi(): Promise<void> {
  const { kernel } = await describeService()
  process.stdout.write(`${JSON.stringify(openApi(kernel.tools, version), null, 2)}\n`)
}
