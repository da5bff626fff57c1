import { sessionTopic, tasksTopic, type Topic } from '../kernel/events.js'
import type { TaskView } from './store/tasks.js'

/** Who is told that tasks have changed. @param ready whether a task may have become ready */
export function topicsOf(
  workspace: string,
  tasks: ReadonlyArray<Pick<TaskView, 'session_id'>>,
  ready: boolean
): Topic[] {
  const sessions = new Set(tasks.flatMap(({ session_id }) => session_id ?? []))
  return [
    ...[...sessions].map(session_id => sessionTopic(workspace, session_id)),
    ...(ready ? [tasksTopic(workspace)] : [])
  ]
}
