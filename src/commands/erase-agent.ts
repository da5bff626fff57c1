import { setTimeout as sleep } from 'node:timers/promises'
import { AGENT_ID_MAX } from '../kernel/agent.js'
import { characters } from '../kernel/text.js'
import { ConfigError } from '../config/config.js'
import * as audit from '../audit/store/rows.js'
import { eraseAgents, isBeingErased } from '../lifecycle/store/erased-agents.js'
import { beginErasure } from '../lifecycle/store/erasure-start.js'
import { newCommandId, parseWorkspaceOption, withDatabase } from './operator.js'

export const USAGE = 'Usage: erase-agent <agent_id> [--workspace <name>]. The workspace is default unless named.'
const PAUSE_MS = 200

/**
 * erase-agent <agent_id>: does what the tool erase_agent does, and ends when the erasure is complete. If it is killed
 * before, a running service completes the erasure, or the same command does.
 * @throws ConfigError if the arguments are wrong
 */
export async function eraseAgent(args: string[]): Promise<void> {
  const {
    positionals: [agent_id, ...more],
    workspace
  } = parseWorkspaceOption(args, USAGE)
  if (agent_id === undefined || agent_id === '' || characters(agent_id) > AGENT_ID_MAX || more.length > 0)
    throw new ConfigError(USAGE)
  await withDatabase(async db => {
    const { pseudonym } = await db.transaction().execute(async tx => {
      const request_id = newCommandId()
      const begun = await beginErasure(tx, workspace, agent_id, request_id)
      const metadata = { of_agent: agent_id, ...begun }
      const fields = { event_type: 'agent_erased', resource: `agent:${agent_id}`, metadata }
      await audit.writeWithoutAgent(tx, workspace, 'erase-agent', fields, request_id)
      return begun
    })
    // A running service may take turns with this command.
    while (await isBeingErased(db, workspace, agent_id)) {
      await eraseAgents(db, () => {})
      await sleep(PAUSE_MS)
    }
    console.log(pseudonym)
  })
}
