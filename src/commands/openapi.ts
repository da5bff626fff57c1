import { openApi } from '../core/openapi.js'
import { tools } from '../tools/index.js'
import { version } from '../version.js'

export const USAGE = 'openapi takes no arguments; it prints the OpenAPI document.'

/** Prints the OpenAPI document; needs no database. */
export async function openapi(): Promise<void> {
  process.stdout.write(`${JSON.stringify(openApi(tools, version), null, 2)}\n`)
}
