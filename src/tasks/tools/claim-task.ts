import { Type } from '@sinclair/typebox'
import type { Agent } from '../../kernel/agent.js'
import { input, OptionalSessionId, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { refuseLongWait, type WaitUntilDeps, waitUntil, WaitSeconds } from '../../feed/wait-until.js'
import type { Db } from '../../postgres/schema.js'
import * as sessions from '../../sessions/store/sessions.js'
import type { Wanted } from '../store/claims.js'
import { readTaskOrThrow, type TaskRow, viewOf } from '../store/tasks.js'
import type { TaskDesk } from '../task-desk.js'
import { Lease, OptionalTaskId, Task } from '../task-shapes.js'
import { topicsOf } from '../topics.js'

export interface ClaimDeps extends WaitUntilDeps {
  desk: TaskDesk
  /** Gives a task back that was claimed for a client that is gone. */
  giveBack: (agent: Agent, task: TaskRow) => Promise<unknown>
}

export const claimTask = ({ desk, giveBack, ...waiting }: ClaimDeps) =>
  defineTool({
    name: 'claim_task',
    title: 'Claim a task',
    description:
      'Get a task to work on: the next ready one by priority, then age, or the one you name. You alone hold it until ' +
      'the lease expires; renew_task makes that later.',
    permission: 'write',
    effect: 'adds',
    commits: 'batch',
    input: input({
      task_id: OptionalTaskId('This task alone'),
      session_id: OptionalSessionId('any'),
      wait_seconds: Type.Optional(WaitSeconds())
    }),
    output: output({
      task: { ...Type.Union([Task, Type.Null()]), description: 'The task; null if there is none' },
      lease: { ...Type.Union([Lease, Type.Null()]), description: 'Your hold on it; null without a task' },
      timed_out: Type.Boolean({ description: 'true: you waited, and no task was ready. Call again' })
    }),
    audit: () => ({ event_type: 'task_claimed' }),
    affectedTopics: (_input, { task }, { agent }) => topicsOf(agent.workspace, task === null ? [] : [task], false),
    waits_ms: ({ wait_seconds = 0 }) => wait_seconds * 1000,
    async handler({ task_id, session_id, wait_seconds = 0 }, { db, agent, caller, receipt: { audit } }) {
      refuseLongWait(caller, wait_seconds, 'wait_seconds')
      const wanted = await wantedOf(db, agent, task_id, session_id)
      const task = await waitUntil(
        {
          agent,
          caller,
          attempt: () => desk.claim({ agent, wanted, audit }),
          giveBack: claimed => giveBack(agent, claimed),
          total_ms: wait_seconds * 1000
        },
        waiting
      )
      if (task === undefined) return { task: null, lease: null, timed_out: wait_seconds > 0 }
      const lease = { token: task.lease_token as number, expires_at: task.lease_expires_at as string }
      return { task: viewOf(task), lease, timed_out: false }
    }
  })

/** @throws AppError TASK_NOT_FOUND, SESSION_NOT_FOUND */
async function wantedOf(
  db: Db,
  agent: Agent,
  task_id: string | undefined,
  session_id: string | undefined
): Promise<Wanted> {
  if (session_id !== undefined) await sessions.readSessionOrThrow(db, agent, session_id)
  if (task_id !== undefined) {
    await readTaskOrThrow(db, agent, task_id)
    return { of: 'task', task_id }
  }
  if (session_id !== undefined) return { of: 'session', session_id }
  return agent.sessions === undefined ? { of: 'any' } : { of: 'sessions', session_ids: agent.sessions }
}
