import { Type } from '@sinclair/typebox'
import type { Agent } from '../../kernel/agent.js'
import { input, OptionalSessionId, output } from '../../kernel/shapes.js'
import { isFinal } from '../../kernel/task-states.js'
import { defineTool } from '../../kernel/tool.js'
import type { Live } from '../../feed/live.js'
import { refuseLongWait, type WaitUntilDeps, waitUntil, WaitSeconds } from '../../feed/wait-until.js'
import type { Db } from '../../postgres/schema.js'
import * as sessions from '../../sessions/store/sessions.js'
import type { SessionWithHead } from '../../sessions/store/sessions.js'
import type { Wanted } from '../store/claims.js'
import { readTaskOrThrow, type TaskRow, viewOf } from '../store/tasks.js'
import type { TaskDesk } from '../task-desk.js'
import { Lease, OptionalTaskId, Task } from '../task-shapes.js'
import { topicsOf } from '../told.js'

export interface ClaimDeps extends WaitUntilDeps {
  desk: TaskDesk
  live: Live
  /** Gives a task back that was claimed for a client that is gone. */
  giveBack: (agent: Agent, task: TaskRow) => Promise<unknown>
}

export const claimTask = ({ desk, live, giveBack, ...waiting }: ClaimDeps) =>
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
      timed_out: Type.Boolean({
        description:
          'true: you waited, and no task was ready: call again. false: none can become ready, or you did not wait'
      })
    }),
    audit: () => ({ event_type: 'task_claimed' }),
    affectedTopics: (_input, { task }, { agent }) => topicsOf(agent.workspace, task === null ? [] : [task], false),
    waits_ms: ({ wait_seconds = 0 }) => wait_seconds * 1000,
    async handler({ task_id, session_id, wait_seconds = 0 }, { db, agent, caller, receipt: { audit } }) {
      refuseLongWait(caller, wait_seconds, 'wait_seconds')
      const { wanted, session, ended } = await wantedOf(db, agent, task_id, session_id)
      const claimed = await waitUntil(
        {
          agent,
          caller,
          attempt: () => desk.claim({ agent, wanted, audit }),
          giveBack: claimed => giveBack(agent, claimed),
          total_ms: ended ? 0 : wait_seconds * 1000,
          session: session && { ...session, live }
        },
        waiting
      )
      if (typeof claimed === 'string')
        return { task: null, lease: null, timed_out: wait_seconds > 0 && !ended && claimed === 'time is up' }
      const task = claimed.got
      const lease = { token: task.lease_token as number, expires_at: task.lease_expires_at as string }
      return { task: viewOf(task), lease, timed_out: false }
    }
  })

/**
 * @returns what is wanted, and whether it can never be had: a closed session hands out nothing, and a task that is done
 * is not claimed again
 * @throws AppError TASK_NOT_FOUND, SESSION_NOT_FOUND
 */
async function wantedOf(
  db: Db,
  agent: Agent,
  task_id: string | undefined,
  session_id: string | undefined
): Promise<{ wanted: Wanted; session?: SessionWithHead; ended: boolean }> {
  const asked = session_id === undefined ? undefined : await sessions.readSessionOrThrow(db, agent, session_id)
  if (task_id !== undefined) {
    const { state } = await readTaskOrThrow(db, agent, task_id)
    return { wanted: { of: 'task', task_id }, ended: isFinal(state) }
  }
  if (asked !== undefined)
    return { wanted: { of: 'session', session_id: asked.id }, session: asked, ended: !asked.is_active }
  const { sessions: session_ids } = agent
  return { wanted: session_ids === undefined ? { of: 'any' } : { of: 'sessions', session_ids }, ended: false }
}
