import { useState } from 'preact/hooks'
import type { LeaseView } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { Confirm } from '../parts/dialog.js'
import { Table } from '../parts/table.js'
import { visibleText } from '../parts/text.js'
import { useNow } from '../parts/time.js'
import { useClient } from '../signed-in.js'

/** The names that agents hold. An admin can end a lease of anybody. */
export function Leases({ leases, onChange }: { leases: readonly LeaseView[]; onChange: () => void }) {
  const client = useClient()
  const now = useNow(1000)
  const [ending, setEnding] = useState<LeaseView | undefined>(undefined)
  return (
    <section aria-labelledby="leases">
      <h2 id="leases">Held names</h2>
      {leases.length === 0 ? (
        <p class="hint">
          Nobody holds a name. Agents hold one with <code>acquire_lease</code>, so that two do not touch the same thing.
        </p>
      ) : (
        <Table heads={['Name', 'Held by', 'What for', 'Ends in', ...(client.can('admin') ? ['Act'] : [])]}>
          {leases.map(lease => (
            <tr key={lease.name}>
              <td>
                <bdi>{visibleText(lease.name)}</bdi>
              </td>
              <td>
                <AgentName name={lease.holder} />
              </td>
              <td>{visibleText(lease.purpose ?? '')}</td>
              <td>{Math.max(0, Math.round((Date.parse(lease.expires_at) - now) / 1000))} s</td>
              {client.can('admin') && (
                <td>
                  <button
                    type="button"
                    onClick={() => {
                      setEnding(lease)
                    }}
                  >
                    Release …
                  </button>
                </td>
              )}
            </tr>
          ))}
        </Table>
      )}
      {ending !== undefined && (
        <Confirm
          title={`Release ${visibleText(ending.name)}`}
          verb="Release it"
          dangerous
          act={() => client.call('release_lease', { leases: [{ name: ending.name }] })}
          onDone={done => {
            setEnding(undefined)
            if (done) onChange()
          }}
        >
          <p>
            {visibleText(ending.holder)} may still be working with it, and learns of it only at its next call. Another
            agent can hold it at once.
          </p>
        </Confirm>
      )}
    </section>
  )
}
