import { Link } from 'wouter-preact'
import type { TaskView } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { StateBadge } from './task-state.js'

/** A task among the messages of its session. */
export function TaskLine({ task }: { task: TaskView }) {
  return (
    <article
      class="task-line"
      data-item
      tabIndex={-1}
      aria-label="Task"
      onKeyDown={event => {
        if (event.key === 'Enter' && event.target === event.currentTarget)
          event.currentTarget.querySelector('a')?.click()
      }}
    >
      <StateBadge state={task.state} />
      <Link href={`/tasks/${task.task_id}`}>{visibleText(task.title)}</Link>
      {task.assignee !== null && (
        <span>
          with <AgentName name={task.assignee} />
        </span>
      )}
      <span class="grow" />
      <Time at={task.created_at} />
    </article>
  )
}
