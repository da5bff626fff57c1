import { useState } from 'preact/hooks'
import { Link } from 'wouter-preact'
import { readPages } from '../api/pages.js'
import { AgentName } from '../parts/agent.js'
import { ConnectLine } from '../parts/connect-line.js'
import { SearchField } from '../parts/fields.js'
import { usePolling } from '../parts/fresh.js'
import { listKeys, useKeys } from '../parts/keys.js'
import { useLoaded, useSettled } from '../parts/load.js'
import { Empty, Failure } from '../parts/notes.js'
import { Table } from '../parts/table.js'
import { visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'

/** Pages of 200 that are read at most. */
const PAGES = 5

/** Who is there: what they do, whether they wait, and what lies in their inboxes. */
export function AgentsScreen() {
  const client = useClient()
  const [query, setQuery] = useState('')
  const asked = useSettled(query.trim())
  const { value, error, reload } = useLoaded(async () => {
    const { pages } = await readPages(
      from => client.call('list_agents', { limit: 200, ...(asked !== '' && { query: asked }), ...from }),
      PAGES
    )
    return pages.flatMap(({ agents }) => agents).sort((a, b) => b.last_seen_at.localeCompare(a.last_seen_at))
  }, [client, asked])
  usePolling(reload)
  useKeys({
    ...listKeys('.agent-row a')
  })
  return (
    <div class="screen">
      <div class="screen-head">
        <h1>Agents</h1>
      </div>
      <div class="filters">
        <SearchField label="Search names and statuses" value={query} onValue={setQuery} />
      </div>
      <Failure error={error} onRetry={reload} />
      {value?.length === 0 && <Empty title="No agent fits." />}
      {asked === '' && value?.length === 1 && value[0]?.agent_id === client.identity.agent_id && (
        <Empty title="Nobody but you has been here.">
          <ConnectLine />
        </Empty>
      )}
      {value !== undefined && value.length > 0 && (
        <Table heads={['Agent', 'Type', 'Last seen', 'Now', 'Inbox', 'Status']}>
          {value.map(agent => (
            <tr key={agent.agent_id} class="agent-row">
              <td>
                <Link href={`/agents/${encodeURIComponent(agent.agent_id)}`}>
                  <AgentName name={agent.agent_id} />
                </Link>
              </td>
              <td>{visibleText(agent.agent_type)}</td>
              <td>
                <Time at={agent.last_seen_at} relative />
              </td>
              <td>{agent.waiting ? <span class="badge state-completed">waiting</span> : ''}</td>
              <td>{agent.inbox}</td>
              <td>{visibleText(agent.status ?? '')}</td>
            </tr>
          ))}
        </Table>
      )}
    </div>
  )
}
