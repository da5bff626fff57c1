import { AgentName } from '../parts/agent.js'
import { useLoaded } from '../parts/load.js'
import { Failure } from '../parts/notes.js'
import { visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'

/** What became of a message at each of those it was addressed to. */
export function Receipts({ message_id }: { message_id: number }) {
  const client = useClient()
  const { value, error, reload } = useLoaded(
    async () => client.call('get_receipts', { message_id }),
    [client, message_id]
  )
  return (
    <div class="receipts">
      <Failure error={error} onRetry={reload} />
      {value?.receipts.length === 0 && <p class="hint">Nobody has got it yet.</p>}
      <ul>
        {value?.receipts.map(({ agent_id, delivered_at, read_at, acked_at, note, reply_ids }) => (
          <li key={agent_id}>
            <AgentName name={agent_id} /> <Step name="delivered" at={delivered_at} /> <Step name="read" at={read_at} />{' '}
            <Step name="acknowledged" at={acked_at} />
            {note !== null && `: ${visibleText(note)}`}
            {reply_ids.length > 0 && ', answered'}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Step({ name, at }: { name: string; at: string | null }) {
  if (at === null) return <span class="hint">not {name}</span>
  return (
    <span>
      {name} <Time at={at} />
    </span>
  )
}
