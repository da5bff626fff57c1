/**
 * The service as it is, but that add_message answers at once: nothing of it goes to the database. Credentials,
 * arguments, permission, metrics, log and serialisation are the program's own.
 */
import { serve } from '../../src/commands/serve.js'
import { Kernel } from '../../src/kernel/kernel.js'
import type { Tool } from '../../src/kernel/tool.js'

let last = 0

function answering(tool: Tool): Tool {
  return {
    ...tool,
    async handler(input) {
      const number = ++last
      return {
        message_id: number,
        seq: number,
        timestamp: new Date().toISOString(),
        session_id: (input as { session_id: string }).session_id
      }
    },
    // Nothing has changed that another replica would have to hear of by way of the database.
    affectedTopics: () => []
  }
}

const addTool = Object.getOwnPropertyDescriptor(Kernel.prototype, 'addTool')?.value as (
  this: Kernel,
  tool: Tool
) => void
Kernel.prototype.addTool = function (tool) {
  addTool.call(this, tool.name === 'add_message' ? answering(tool) : tool)
}
await serve()
