import { useState } from 'preact/hooks'
import { Link } from 'wouter-preact'
import type { Output } from '../api/catalogue.js'
import { readPages } from '../api/pages.js'
import { useLoaded } from '../parts/load.js'
import { Failure } from '../parts/notes.js'
import { Table } from '../parts/table.js'
import { bytes, plural, visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { MadeKey } from './made-key.js'
import { NewKey } from './new-key.js'

type WorkspaceView = Output<'list_workspaces'>['workspaces'][number]
type Quotas = Output<'list_workspaces'>['quotas']

/** Every workspace, how much it holds and may hold: for the operator. */
export function WorkspacesScreen() {
  const client = useClient()
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<Output<'create_api_key'> | undefined>(undefined)
  const { value, error, reload } = useLoaded(async () => {
    const { pages } = await readPages(from => client.call('list_workspaces', { limit: 200, ...from }))
    return { workspaces: pages.flatMap(({ workspaces }) => workspaces), quotas: pages.at(-1)?.quotas as Quotas }
  }, [client])
  return (
    <div class="screen wide-screen">
      <div class="screen-head">
        <h1>Workspaces</h1>
        <span class="grow" />
        <button
          type="button"
          class="primary"
          onClick={() => {
            setMaking(true)
          }}
        >
          New workspace
        </button>
      </div>
      <Failure error={error} onRetry={reload} />
      {value !== undefined && (
        <>
          <p class="hint">
            Nothing of one workspace exists for another. One begins with its first key, and nobody enters it any more
            once its keys are revoked.
          </p>
          <Table heads={['Workspace', 'Sessions', 'Largest session', 'Memory', 'Agents', 'Last call', 'Kept', 'Keys']}>
            {value.workspaces.map(workspace => (
              <Row key={workspace.workspace} workspace={workspace} quotas={value.quotas} />
            ))}
          </Table>
        </>
      )}
      {making && (
        <NewKey
          of="new workspace"
          onMade={setMade}
          onDone={done => {
            setMaking(false)
            if (done) reload()
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
    </div>
  )
}

function Row({ workspace: of, quotas }: { workspace: WorkspaceView; quotas: Quotas }) {
  const count = (value: number) => value.toLocaleString()
  return (
    <tr>
      <td>{visibleText(of.workspace)}</td>
      <td>
        <Amount is={of.sessions} most={quotas.sessions} as={count} />, {bytes(of.session_bytes)} written
      </td>
      <td>
        <Amount is={of.largest_session.session_messages} most={quotas.session_messages} as={count} /> messages,{' '}
        <Amount is={of.largest_session.session_bytes} most={quotas.session_bytes} as={bytes} />
      </td>
      <td>
        {count(of.memory_entries)} values, {bytes(of.memory_bytes)}; most of one agent{' '}
        <Amount is={of.largest_memory.memory_entries} most={quotas.memory_entries} as={count} />,{' '}
        <Amount is={of.largest_memory.memory_bytes} most={quotas.memory_bytes} as={bytes} />
      </td>
      <td>{count(of.agents)}</td>
      <td>{of.last_seen_at === null ? 'never' : <Time at={of.last_seen_at} relative />}</td>
      <td>{of.retention_days === 0 ? 'for ever' : `${count(of.retention_days)} days`}</td>
      <td>
        <Link href={`/keys/${of.workspace}`} aria-label={`${plural(of.api_keys, 'key')} of ${of.workspace}`}>
          {plural(of.api_keys, 'key')}
        </Link>
      </td>
    </tr>
  )
}

/** Share of a quota from which on it is marked. */
const NEARLY = 0.9

/** How much there is, and of how much, where there is a quota. */
function Amount({ is, most, as }: { is: number; most: number; as: (value: number) => string }) {
  if (most === 0) return <>{as(is)}</>
  return (
    <span class={is >= NEARLY * most ? 'nearly-full' : undefined}>
      {as(is)} of {as(most)}
      {is >= NEARLY * most && ', nearly full'}
    </span>
  )
}
