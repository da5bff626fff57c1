import { useState } from 'preact/hooks'
import { Confirm } from '../parts/dialog.js'
import { useLoaded } from '../parts/load.js'
import { Failure } from '../parts/notes.js'
import { plural } from '../parts/text.js'
import { useClient } from '../signed-in.js'
import { Field } from '../parts/fields.js'

const kept = (days: number) => (days === 0 ? 'for ever' : `for ${plural(days, 'day')}`)

/** How long the workspace keeps messages. */
export function Retention() {
  const client = useClient()
  const [days, setDays] = useState<string | undefined>(undefined)
  const { value, error, reload } = useLoaded(async () => client.call('get_retention', {}), [client])
  return (
    <section aria-labelledby="retention">
      <h2 id="retention">How long things are kept</h2>
      <Failure error={error} onRetry={reload} />
      {value !== undefined && (
        <p>
          Messages and closed sessions are kept {kept(value.days)}
          {value.source === 'server' ? ', as the server is set' : ''}; audit rows {kept(value.audit_days)}.{' '}
          <button
            type="button"
            onClick={() => {
              setDays(String(value.days))
            }}
          >
            Change …
          </button>
        </p>
      )}
      {days !== undefined && (
        <Confirm
          title="How long messages are kept"
          verb="Set it"
          dangerous
          act={() => client.call('set_retention', { days: Number(days) })}
          onDone={done => {
            setDays(undefined)
            if (done) reload()
          }}
        >
          <p>What is older is deleted for good within the hour.</p>
          <Field
            label="Days; 0 keeps everything for ever"
            type="number"
            required
            min={0}
            max={36_500}
            value={days}
            onValue={setDays}
          />
        </Confirm>
      )}
    </section>
  )
}
