import { useState } from 'preact/hooks'
import { Confirm } from '../parts/dialog.js'
import { useClient } from '../signed-in.js'
import { Field } from '../parts/fields.js'

/** A task that a person hands out. */
export function NewTask({ onDone }: { onDone: (done: boolean) => void }) {
  const client = useClient()
  const [title, setTitle] = useState('')
  const [description, setDescription] = useState('')
  const [to, setTo] = useState('')
  const addressees = to
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '')
  return (
    <Confirm
      title="New task"
      verb="Create it"
      act={() => client.call('create_task', { title, description, ...(addressees.length > 0 && { to: addressees }) })}
      onDone={onDone}
    >
      <Field label="What is to be done?" required maxLength={300} value={title} onValue={setTitle} />
      <label>
        All that whoever does it needs to know
        <textarea
          rows={5}
          value={description}
          onInput={event => {
            setDescription(event.currentTarget.value)
          }}
        />
      </label>
      <label>
        For whom? Agents, or type:&lt;type&gt;, separated by commas; empty for everybody
        <input
          type="text"
          value={to}
          onInput={event => {
            setTo(event.currentTarget.value)
          }}
        />
      </label>
    </Confirm>
  )
}
