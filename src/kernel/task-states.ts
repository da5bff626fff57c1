/** The states of a task, in the words of the A2A protocol. */
export const TASK_STATES = ['submitted', 'working', 'input_required', 'completed', 'failed', 'canceled'] as const
export type TaskState = (typeof TASK_STATES)[number]

/** Whether nothing can happen to the task any more. */
export function isFinal(state: TaskState): boolean {
  return state === 'completed' || state === 'failed' || state === 'canceled'
}
