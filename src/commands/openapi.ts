import { openApi } from '../http/openapi.js'
import { version } from '../version.js'
import { verb, type Verbs } from './command.js'
import { describeService } from './describe.js'

export const verbs: Verbs = {
  '': verb({
    summary: 'Prints the OpenAPI document. It needs no database.',
    async run() {
      const { kernel } = await describeService()
      process.stdout.write(`${JSON.stringify(openApi(kernel.described, version), null, 2)}\n`)
    }
  })
}
