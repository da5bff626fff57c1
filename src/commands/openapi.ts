import { openApi } from '../http/openapi.js'
import { tools } from '../tools.js'
import { version } from '../version.js'

export const USAGE = 'openapi takes no arguments; it prints the OpenAPI document.'

/** Prints the OpenAPI document. It needs no database. */
export async function openapi(): Promise<void> {
  process.stdout.write(`${JSON.stringify(openApi(tools, version), null, 2)}\n`)
}
