import { useState } from 'preact/hooks'
import type { TaskView } from '../api/catalogue.js'
import { Confirm } from '../parts/dialog.js'
import { visibleText } from '../parts/text.js'
import { useClient } from '../signed-in.js'

export type Act = 'release' | 'cancel'

/** What the creator of a task and admins may do with one that others hold. It is asked before. */
export function TaskAct({
  act,
  task: { task_id, title, assignee },
  onDone
}: {
  act: Act
  task: TaskView
  onDone: (done: boolean) => void
}) {
  const client = useClient()
  const [note, setNote] = useState('')
  const releases = act === 'release'
  return (
    <Confirm
      title={`${releases ? 'Release' : 'Cancel'}: ${visibleText(title)}`}
      verb={releases ? 'Release the task' : 'Cancel the task'}
      dangerous
      act={() =>
        releases
          ? client.call('release_task', { task_id, note })
          : client.call('cancel_task', { task_id, ...(note.trim() !== '' && { reason: note }) })
      }
      onDone={onDone}
    >
      <p>
        {releases
          ? `${visibleText(assignee ?? 'Its holder')} may still be working on it, and learns of it only at its next ` +
            'call. Another agent can take it at once.'
          : 'Whoever holds it loses it, and all tasks that depend on it are canceled too.'}
      </p>
      <label>
        {releases ? 'What must the next one know?' : 'Why?'}
        <textarea
          rows={3}
          required={releases}
          maxLength={10_000}
          value={note}
          onInput={event => {
            setNote(event.currentTarget.value)
          }}
        />
      </label>
    </Confirm>
  )
}
