import { setTimeout as sleep } from 'node:timers/promises'
import { AGENT_ID_MAX } from '../kernel/agent.js'
import { characters } from '../kernel/text.js'
import { ConfigError } from '../config/config.js'
import * as audit from '../audit/store/rows.js'
import { beginErasure, eraseAgents, isBeingErased } from '../lifecycle/store/erased-agents.js'
import { byOperator, withDatabase, wordsAndWorkspace } from './operator.js'

export const USAGE = 'Say: erase-agent <agent_id>; with --workspace <name> for another workspace than default.'
const PAUSE_MS = 200

/**
 * erase-agent <agent_id>: as the tool erase_agent, and ends when all is done. Killed before, a running service goes on,
 * or the same command.
 */
export async function eraseAgent(args: string[]): Promise<void> {
  const {
    words: [agent_id, ...more],
    workspace
  } = wordsAndWorkspace(args, USAGE)
  if (agent_id === undefined || agent_id === '' || characters(agent_id) > AGENT_ID_MAX || more.length > 0)
    throw new ConfigError(USAGE)
  await withDatabase(async db => {
    const { pseudonym } = await db.transaction().execute(async tx => {
      const row = byOperator(workspace, 'erase-agent', { event_type: 'agent_erased', resource: `agent:${agent_id}` })
      const begun = await beginErasure(tx, workspace, agent_id, row.request_id)
      await audit.write(tx, { ...row, metadata: { of_agent: agent_id, ...begun } })
      return begun
    })
    // A service that runs beside this may be at it, in turns.
    while (await isBeingErased(db, workspace, agent_id)) {
      await eraseAgents(db, () => {})
      await sleep(PAUSE_MS)
    }
    console.log(pseudonym)
  })
}
