import { setTimeout as sleep } from 'node:timers/promises'
import { createBatcher } from '../kernel/batcher.js'
import { tasksTopic, type Topic } from '../kernel/events.js'
import { isStatementFault } from '../postgres/faults.js'
import { inWorkspace, type Unscoped } from '../postgres/scope.js'
import { type Claimed, claimKey, type ClaimRequest, claimTasks } from './store/claims.js'
import { type Completed, type CompletionRequest, completeTasks } from './store/completions.js'
import { leaseLost } from './store/moves.js'
import { readTaskOrThrow, type TaskRow } from './store/tasks.js'

/** Claims, or completions, of one statement: each locks a row, and the rows of sessions. */
const BATCH_MAX = 100
/** Statements of one kind in flight, at most: the rest of the pool is for other calls. */
const IN_FLIGHT_MAX = 3
/** As in message-writer.ts: two at once would find the same rows locked by each other. */
const WORKSPACE_IN_FLIGHT_MAX = 2
const SLOW_MS = 25
/** So many characters of a result count as much as a completion without one. */
const CHARACTERS_PER_COMPLETION = 10_000

/** How often a claim that met only tasks which others had locked tries again, and for how long it pauses at most. */
const TRIES_MAX = 40
const PAUSE_MS = 10

export interface TaskDesk {
  /** Claims a task; one statement serves several calls. @returns undefined if none is ready */
  claim: (request: ClaimRequest) => Promise<TaskRow | undefined>
  /**
   * Completes a task; one statement serves several calls. Whoever completed it by that token gets its answer again.
   * @throws AppError LEASE_LOST, TASK_NOT_FOUND
   */
  complete: (request: CompletionRequest) => Promise<TaskRow>
}

/** @param publish tells the replicas that tasks may have become ready */
export function createTaskDesk(database: Unscoped, publish: (topics: readonly Topic[]) => void): TaskDesk {
  const shared = {
    weight_max: BATCH_MAX,
    in_flight_max: IN_FLIGHT_MAX,
    group_in_flight_max: WORKSPACE_IN_FLIGHT_MAX,
    slow_ms: SLOW_MS,
    isItemFault: isStatementFault
  }
  const claims = createBatcher<ClaimRequest, Claimed>({
    ...shared,
    flush: requests => claimTasks(inWorkspace(database, workspaceOf(requests)), requests),
    group: claimKey
  })
  const completions = createBatcher<CompletionRequest, Completed | undefined>({
    ...shared,
    flush: requests => completeTasks(inWorkspace(database, workspaceOf(requests)), requests),
    group: ({ agent }) => agent.workspace,
    key: ({ task_id }) => task_id,
    weight: ({ result }) => 1 + result.length / CHARACTERS_PER_COMPLETION
  })

  return {
    async claim(request) {
      for (let tries = 1; ; tries++) {
        const claimed = await claims.add(request)
        if (typeof claimed !== 'string') return claimed
        if (claimed === 'none' || tries === TRIES_MAX) return undefined
        await sleep(PAUSE_MS * Math.random())
      }
    },
    async complete(request) {
      const { agent, task_id, lease_token } = request
      const completed = await completions.add(request)
      if (completed === undefined) {
        const task = await readTaskOrThrow(inWorkspace(database, agent.workspace), agent, task_id)
        if (task.state !== 'completed' || task.lease_token !== lease_token || task.assignee !== agent.agent_id)
          throw leaseLost()
        return task
      }
      if (completed.awaited) publish([tasksTopic(agent.workspace)])
      return completed.task
    }
  }
}

function workspaceOf(requests: ReadonlyArray<{ agent: { workspace: string } }>): string {
  return (requests[0] as { agent: { workspace: string } }).agent.workspace
}
