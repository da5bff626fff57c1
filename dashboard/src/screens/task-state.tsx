import type { TaskView } from '../api/catalogue.js'

export const STATE_NAMES: Record<TaskView['state'], string> = {
  submitted: 'Waiting',
  working: 'In work',
  input_required: 'Needs input',
  completed: 'Completed',
  failed: 'Failed',
  canceled: 'Canceled'
}

export function StateBadge({ state }: { state: TaskView['state'] }) {
  return <span class={`badge state-${state}`}>{STATE_NAMES[state]}</span>
}
