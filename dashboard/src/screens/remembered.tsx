import { useState } from 'preact/hooks'
import type { Output } from '../api/catalogue.js'
import { useLoaded } from '../parts/load.js'
import { Failure } from '../parts/notes.js'
import { visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'

type Entry = Output<'list_memory'>['entries'][number]

/** Something that one remembers, and its value once one asks for it. */
export function Remembered({ entry }: { entry: Entry }) {
  const [open, setOpen] = useState(false)
  return (
    <li>
      <button
        type="button"
        class="plain-button"
        aria-expanded={open}
        onClick={() => {
          setOpen(!open)
        }}
      >
        <code>{visibleText(entry.key)}</code>
      </button>
      , {entry.value_size.toLocaleString()} bytes, {entry.session_id === null ? 'everywhere' : 'in one session'},{' '}
      <Time at={entry.updated_at} />
      {open && <Value entry={entry} />}
    </li>
  )
}

function Value({ entry: { key, session_id, version } }: { entry: Entry }) {
  const client = useClient()
  const { value, error, reload } = useLoaded(
    async () => client.call('get_memory', { key, ...(session_id !== null && { session_id }) }),
    [client, key, session_id, version]
  )
  return (
    <>
      <Failure error={error} onRetry={reload} />
      {value !== undefined && (
        <pre class="code" tabIndex={0}>
          {visibleText(typeof value.value === 'string' ? value.value : JSON.stringify(value.value, null, 2))}
        </pre>
      )}
    </>
  )
}
