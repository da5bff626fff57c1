import { useState } from 'preact/hooks'
import type { ApiKeyView, Output } from '../api/catalogue.js'
import { readPages } from '../api/pages.js'
import { AgentName } from '../parts/agent.js'
import { Confirm } from '../parts/dialog.js'
import { useLoaded, useSettled } from '../parts/load.js'
import { Empty, Failure } from '../parts/notes.js'
import { visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { MadeKey } from './made-key.js'
import { NewKey } from './new-key.js'
import { Retention } from './retention.js'
import { Field } from '../parts/fields.js'
import { Table } from '../parts/table.js'

/** API keys of agents, and how long things are kept: for admins. @param of a workspace to begin with; '': one's own */
export function KeysScreen({ of: begin }: { of: string }) {
  const client = useClient()
  const [ended, setEnded] = useState(false)
  const [workspace, setWorkspace] = useState(begin)
  const named = useSettled(workspace.trim())
  const of = named === '' ? {} : { workspace: named }
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<Output<'create_api_key'> | undefined>(undefined)
  const [revoking, setRevoking] = useState<ApiKeyView | undefined>(undefined)
  const loaded = useLoaded(async () => {
    const { pages } = await readPages(from =>
      client.call('list_api_keys', { ...of, include_revoked: ended, limit: 200, ...from })
    )
    return pages.flatMap(page => page.keys)
  }, [client, ended, named])
  const keys = loaded.value
  return (
    <div class="screen wide-screen">
      <div class="screen-head">
        <h1>Keys</h1>
        <span class="grow" />
        <Field label="Workspace" placeholder="your own" value={workspace} onValue={setWorkspace} />
        <label class="check">
          <input
            type="checkbox"
            checked={ended}
            onChange={event => {
              setEnded(event.currentTarget.checked)
            }}
          />
          Show ended ones
        </label>
        <button
          type="button"
          class="primary"
          onClick={() => {
            setMaking(true)
          }}
        >
          New key
        </button>
      </div>
      <Failure error={loaded.error} onRetry={loaded.reload} />
      {keys?.length === 0 && (
        <Empty title="No agent has a key of its own.">
          <p>A key of its own binds an agent to its name, and ends without the others.</p>
        </Empty>
      )}
      {keys !== undefined && keys.length > 0 && (
        <Table heads={['For', 'Type', 'May', 'Made', 'Ends', 'Act']}>
          {keys.map(key => (
            <tr key={key.key_id}>
              <td>
                <AgentName name={key.agent_id} />
              </td>
              <td>{visibleText(key.agent_type)}</td>
              <td>
                {key.permissions.join(', ')}
                {key.sessions !== null && ` in ${key.sessions.length} sessions`}
              </td>
              <td>
                <Time at={key.created_at} />
                {key.created_by !== null && ` by ${visibleText(key.created_by)}`}
              </td>
              <td>
                {key.revoked_at !== null ? (
                  <>
                    revoked <Time at={key.revoked_at} />
                  </>
                ) : key.expires_at === null ? (
                  'never'
                ) : (
                  <Time at={key.expires_at} />
                )}
              </td>
              <td>
                {key.revoked_at === null && (
                  <button
                    type="button"
                    onClick={() => {
                      setRevoking(key)
                    }}
                  >
                    Revoke …
                  </button>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      <Retention />
      {making && (
        <NewKey
          of={of}
          onMade={setMade}
          onDone={done => {
            setMaking(false)
            if (done) loaded.reload()
          }}
        />
      )}
      {made !== undefined && (
        <MadeKey
          made={made}
          onClose={() => {
            setMade(undefined)
          }}
        />
      )}
      {revoking !== undefined && (
        <Confirm
          title={`Revoke the key of ${visibleText(revoking.agent_id)}`}
          verb="Revoke it"
          dangerous
          act={() => client.call('revoke_api_key', { ...of, key_id: revoking.key_id })}
          onDone={done => {
            setRevoking(undefined)
            if (done) loaded.reload()
          }}
        >
          <p>The agent is refused within 2 seconds, also with tokens it got by this key. This cannot be taken back.</p>
        </Confirm>
      )}
    </div>
  )
}
