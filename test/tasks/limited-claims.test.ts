import t from 'tap'
import type { Agent } from '../../src/kernel/agent.js'
import type { AuditRow } from '../../src/kernel/receipt.js'
import { inWorkspace } from '../../src/postgres/scope.js'
import { claimTasks } from '../../src/tasks/store/claims.js'
import { newSession, ok, startApp } from '../helper.js'
import { openService } from '../support/database.js'

/** Agents that are limited to sessions claim together, in one statement. */

const app = await startApp(t)
const db = inWorkspace(openService(t, app.url, { max: 2 }).db, 'default')

const claimer = (agent_id: string, session_ids: readonly string[]) => {
  const agent: Agent = {
    workspace: 'default',
    agent_id,
    agent_type: 'worker',
    permissions: ['read', 'write'],
    sessions: [...session_ids]
  }
  const audit: AuditRow = {
    workspace: 'default',
    event_type: 'task_claimed',
    agent_id,
    session_id: null,
    action: 'claim_task',
    resource: null,
    result: 'success',
    request_id: `request of ${agent_id}`,
    metadata: {}
  }
  return { agent, audit, wanted: { of: 'sessions' as const, session_ids } }
}

t.test('whose sessions overlap: each task goes to one of them, and only into its own sessions', async t => {
  const [a, b, c] = [await newSession(app), await newSession(app), await newSession(app)]
  const claimers = [claimer('one', [a, b]), claimer('two', [c, b]), claimer('three', [b, a]), claimer('four', [c])]
  for (const session_id of [b, b, c, a]) await ok(app, 'create_task', { title: 'x', session_id })
  const given = new Map<string, string>()
  let waiting = claimers
  while (waiting.length > 0) {
    const outcomes = await claimTasks(db, waiting)
    for (const [i, outcome] of outcomes.entries()) {
      if (typeof outcome === 'string') continue
      const { agent } = waiting[i] as (typeof claimers)[number]
      t.equal(outcome.assignee, agent.agent_id)
      t.ok(agent.sessions?.includes(outcome.session_id), `${agent.agent_id} has one of its sessions`)
      t.notOk([...given.values()].includes(outcome.id), 'nobody else has it')
      given.set(agent.agent_id, outcome.id)
    }
    waiting = waiting.filter((_, i) => outcomes[i] === 'busy')
  }
  t.ok(given.size >= 3, `${given.size} have one`)
  const { tasks } = await ok(app, 'list_tasks', { ready: true })
  for (const { agent } of claimers.filter(({ agent }) => !given.has(agent.agent_id)))
    t.notOk(
      tasks.some((task: any) => agent.sessions?.includes(task.session_id)),
      `nothing is left for ${agent.agent_id}`
    )
  t.equal(tasks.length, 4 - given.size)
})
