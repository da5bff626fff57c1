import { openApi } from '../core/openapi.js'
import { tools } from '../tools/index.js'
import { version } from '../version.js'

/** Prints the OpenAPI document; needs no database. */
export async function openapi (): Promise<void> {
  process.stdout.write(`${JSON.stringify(openApi(tools, version), null, 2)}\n`)
}
