import { setTimeout as sleep } from 'node:timers/promises'
import * as audit from '../audit/store/rows.js'
import { AGENT_ID_MAX } from '../kernel/agent.js'
import { characters, printable } from '../kernel/text.js'
import { eraseAgents, isBeingErased } from '../lifecycle/store/erased-agents.js'
import { beginErasure } from '../lifecycle/store/erasure-start.js'
import { type AgentTraces, erasedMessages, knownAgents, tracesOf } from '../lifecycle/store/known.js'
import type { Db } from '../postgres/schema.js'
import { JSON_OUTPUT, meant, UsageError, verb, type Verbs, WORKSPACE, YES } from './command.js'
import { confirm } from './confirm.js'
import { CommandError } from './failure.js'
import { needWorkspace, newCommandId, notice, withDatabase, workspaceOf } from './operator.js'
import { counted } from './table.js'

const PAUSE_MS = 200

export const verbs: Verbs = {
  '': verb({
    summary:
      'Erases what an agent wrote and stored, as the tool erase_agent does, and waits until it is done. It prints ' +
      'the pseudonym that then stands for the agent. If it is stopped, a running service goes on, or the same ' +
      'command does.',
    operands: ['<agent_id>'],
    options: { workspace: WORKSPACE, yes: YES, json: JSON_OUTPUT },
    async run({ yes, json, ...options }, [agent_id]) {
      if (agent_id === '' || characters(agent_id) > AGENT_ID_MAX)
        throw new UsageError(`<agent_id> must be a text of 1 to ${AGENT_ID_MAX} characters.`)
      const workspace = workspaceOf(options)
      await withDatabase(db => erase(db, workspace, agent_id, { yes, json }))
    }
  })
}

async function erase(
  db: Db,
  workspace: string,
  agent_id: string,
  { yes, json }: { yes: boolean; json: boolean }
): Promise<void> {
  await needWorkspace(db, workspace)
  const isUnderWay = await isBeingErased(db, workspace, agent_id)
  const traces = await tracesOf(db, workspace, agent_id)
  if (!isUnderWay && Object.values(traces).every(count => count === 0)) {
    const known = await knownAgents(db, workspace)
    throw new CommandError(
      `The workspace ${workspace} has nothing of an agent '${agent_id}'.${meant(agent_id, known)} Nothing was changed.`
    )
  }
  await confirm(`This erases the agent ${agent_id} of the workspace ${workspace}: ${described(traces)}.`, yes)

  const { pseudonym, revoked_tokens, deleted_memory } = await db.transaction().execute(async tx => {
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
  const deleted_messages = await erasedMessages(db, workspace, agent_id)
  const { opened_sessions: renamed_sessions, api_keys: revoked_keys } = traces
  const counts = { deleted_messages, deleted_memory, revoked_tokens, revoked_keys, renamed_sessions }
  if (json) console.log(printable(JSON.stringify({ workspace, agent_id, pseudonym, ...counts })))
  else console.log(pseudonym)
  notice(
    `Erased ${agent_id}: ${counted(deleted_messages, 'message')}, ${counted(deleted_memory, 'memory value')}, ` +
      `${counted(revoked_tokens, 'token')}, ${counted(revoked_keys, 'API key')}. ` +
      `What stays of it, such as ${counted(renamed_sessions, 'session')} that it opened, shows ${pseudonym} now.`
  )
}

function described({ messages, sessions, memory, tokens, api_keys, opened_sessions }: AgentTraces): string {
  return (
    `${counted(messages, 'message')} in ${counted(sessions, 'session')}, ${counted(memory, 'memory value')}, ` +
    `${counted(tokens, 'token')}, ${counted(api_keys, 'API key')}. ` +
    `A pseudonym takes its place in ${counted(opened_sessions, 'session')} that it opened. The audit log keeps its rows`
  )
}
