/**
 * The service as it is, but that add_message answers at once: nothing of it goes to the database. Credentials,
 * arguments, permission, metrics, log and serialisation are the program's own.
 */
import { serve } from '../../src/commands/serve.js'
import { tools } from '../../src/tools.js'

const tool = tools.find(({ name }) => name === 'add_message')
if (tool === undefined) throw new Error('There is no add_message.')
let last = 0
tool.handler = async input => {
  const number = ++last
  return {
    message_id: number,
    seq: number,
    timestamp: new Date().toISOString(),
    session_id: (input as { session_id: string }).session_id
  }
}
// Nothing has changed that another replica would have to hear of by way of the database.
delete tool.affectedTopics
await serve([])
