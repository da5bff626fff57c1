import { useState } from 'preact/hooks'
import type { Output } from '../api/catalogue.js'
import { Confirm } from '../parts/dialog.js'
import { useClient } from '../signed-in.js'
import { Field } from '../parts/fields.js'

const LIVES: ReadonlyArray<readonly [seconds: number, name: string]> = [
  [0, 'Never'],
  [86_400, 'In a day'],
  [30 * 86_400, 'In 30 days'],
  [365 * 86_400, 'In a year']
]

type Permission = 'read' | 'write' | 'admin'

export function NewKey({
  of,
  onMade,
  onDone
}: {
  /** Another workspace than one's own, or one that begins with this key: for the operator. */
  of: { workspace?: string } | 'new workspace'
  onMade: (made: Output<'create_api_key'>) => void
  onDone: (done: boolean) => void
}) {
  const client = useClient()
  const begins = of === 'new workspace'
  const [workspace, setWorkspace] = useState('')
  const [agent_id, setAgentId] = useState('')
  const [agent_type, setAgentType] = useState('claude')
  const [rights, setRights] = useState('read,write')
  const [expires_in, setExpiresIn] = useState(0)
  return (
    <Confirm
      title={begins ? 'New workspace' : 'New key'}
      verb="Make it"
      act={async () => {
        const permissions = rights.split(',') as Permission[]
        const where = begins ? { workspace } : of
        onMade(await client.call('create_api_key', { ...where, agent_id, agent_type, permissions, expires_in }))
      }}
      onDone={onDone}
    >
      {begins && (
        <>
          <p>A workspace begins with its first key.</p>
          <Field
            label="Name of the workspace, in small letters"
            required
            maxLength={63}
            value={workspace}
            onValue={setWorkspace}
          />
        </>
      )}
      <Field
        label="Name of the agent; with * at its end, of all agents whose names begin so"
        required
        maxLength={100}
        value={agent_id}
        onValue={setAgentId}
      />
      <Field label="Type" required maxLength={50} value={agent_type} onValue={setAgentType} />
      <label>
        It may{' '}
        <select
          value={rights}
          onChange={event => {
            setRights(event.currentTarget.value)
          }}
        >
          <option value="read">read</option>
          <option value="read,write">read and write</option>
          <option value="read,write,admin">everything an admin may</option>
        </select>
      </label>
      <label>
        It ends{' '}
        <select
          value={String(expires_in)}
          onChange={event => {
            setExpiresIn(Number(event.currentTarget.value))
          }}
        >
          {LIVES.map(([seconds, name]) => (
            <option key={seconds} value={String(seconds)}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </Confirm>
  )
}
