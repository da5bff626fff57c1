import { callTool } from '../../kernel/call.js'
import { identify } from '../../agents/identify.js'
import { answerOf } from '../failure.js'
import { notThere } from './not-there.js'
import { json, type Resource } from './resource.js'

/** As many as list_memory gives. */
const ENTRIES_MAX = 200

export const agentMemory: Resource = {
  name: 'agent-memory',
  title: 'Your memory',
  description: 'The keys you have stored in every scope, last updated first; yours alone. get_memory reads a value.',
  mimeType: 'application/json',
  uri: 'agent://{agent_id}/memory',
  async read({ agent_id }, caller, app) {
    const { entries, count } = answerOf(
      await callTool('list_memory', { session_id: 'all', limit: ENTRIES_MAX }, caller, app.kernel)
    )
    const agent = await identify(caller, app.verifiers)
    if (agent?.agent_id !== agent_id) throw notThere()
    return json({ agent_id, entries, count })
  }
}
