import { useState } from 'preact/hooks'
import type { SessionRow } from '../api/catalogue.js'
import { Confirm } from '../parts/dialog.js'
import { shortText } from '../parts/text.js'
import { useClient } from '../signed-in.js'
import { Field } from '../parts/fields.js'

type Act = 'rename' | 'close' | 'reopen' | 'archive' | 'delete'

const NAMES: Record<Act, string> = {
  rename: 'Rename',
  close: 'Close',
  reopen: 'Reopen',
  archive: 'Archive',
  delete: 'Delete'
}

/** What its creator and admins may do with a session. Each act asks before. */
export function SessionMenu({
  session,
  onChange,
  onDeleted = onChange
}: {
  session: Pick<SessionRow, 'id' | 'purpose' | 'created_by' | 'is_active' | 'archived_at'>
  onChange: () => void
  onDeleted?: () => void
}) {
  const client = useClient()
  const [act, setAct] = useState<Act | undefined>(undefined)
  const own = session.created_by === client.identity.agent_id || client.can('admin')
  if (!own || !client.can('write')) return null
  const acts: Act[] = [
    'rename',
    session.is_active ? 'close' : 'reopen',
    ...(session.archived_at === null ? ['archive' as const] : []),
    'delete'
  ]
  return (
    <>
      <select
        class="menu"
        aria-label={`Actions for ${shortText(session.purpose, 60)}`}
        value=""
        onChange={event => {
          setAct(event.currentTarget.value as Act)
          event.currentTarget.value = ''
        }}
      >
        <option value="">Actions</option>
        {acts.map(each => (
          <option key={each} value={each}>
            {NAMES[each]} …
          </option>
        ))}
      </select>
      {act !== undefined && (
        <ActDialog
          act={act}
          session={session}
          onDone={done => {
            setAct(undefined)
            if (done) (act === 'delete' ? onDeleted : onChange)()
          }}
        />
      )}
    </>
  )
}

function ActDialog({
  act,
  session: { id: session_id, purpose },
  onDone
}: {
  act: Act
  session: Pick<SessionRow, 'id' | 'purpose'>
  onDone: (done: boolean) => void
}) {
  const client = useClient()
  const [text, setText] = useState(purpose)
  const acts: Record<Act, () => Promise<unknown>> = {
    rename: () => client.call('update_session', { session_id, purpose: text }),
    close: () => client.call('close_session', { session_id }),
    reopen: () => client.call('update_session', { session_id, is_active: true }),
    archive: () => client.call('archive_session', { session_id }),
    delete: () => client.call('delete_session', { session_id })
  }
  const says: Record<Act, string> = {
    rename: '',
    close: 'Nobody can write in it then. It can be read and searched, and reopened.',
    reopen: 'Agents can write in it again.',
    archive: 'It is closed, and left out of the list and of searches. Reopening it takes it back.',
    delete: 'Its messages, and what agents remember in it, are gone for good. This cannot be taken back.'
  }
  return (
    <Confirm
      title={`${NAMES[act]}: ${shortText(purpose, 80)}`}
      verb={NAMES[act]}
      dangerous={act === 'delete'}
      act={acts[act]}
      onDone={onDone}
    >
      {act === 'rename' ? (
        <Field label="Purpose" required maxLength={1000} value={text} onValue={setText} />
      ) : (
        <p>{says[act]}</p>
      )}
    </Confirm>
  )
}
