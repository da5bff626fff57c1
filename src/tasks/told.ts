import { sessionTopic, tasksTopic, type Topic } from '../kernel/events.js'
import type { AuditFields } from '../kernel/tool.js'
import type { TaskView } from './task-shapes.js'

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

/** What the audit log says of a change of a task. */
export function auditOf(
  { task_id, session_id }: Pick<TaskView, 'task_id' | 'session_id'>,
  event_type: string,
  metadata: Record<string, unknown> = {}
): AuditFields {
  return { event_type, session_id: session_id ?? undefined, resource: `task:${task_id}`, metadata }
}
