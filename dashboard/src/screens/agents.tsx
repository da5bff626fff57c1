import { useEffect, useState } from 'preact/hooks'
import { Link } from 'wouter-preact'
import type { AgentView, Output } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { moveFocus, useKeys } from '../parts/keys.js'
import { useLoaded, useSettled } from '../parts/load.js'
import { Empty, Failure } from '../parts/notes.js'
import { visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'

/** Milliseconds between two readings: no event tells who is there. */
const POLL_MS = 4000
/** Pages of 200 that are read at most. */
const PAGES = 5

/** Who is there: what they do, whether they wait, and what lies in their inboxes. */
export function AgentsScreen() {
  const client = useClient()
  const [query, setQuery] = useState('')
  const asked = useSettled(query.trim())
  const { value, error, reload } = useLoaded(async () => {
    const agents: AgentView[] = []
    let cursor: string | null = null
    for (let page = 0; page < PAGES; page++) {
      const answer: Output<'list_agents'> = await client.read('list_agents', {
        limit: 200,
        ...(asked !== '' && { query: asked }),
        ...(cursor !== null && { cursor })
      })
      agents.push(...answer.agents)
      cursor = answer.next_cursor
      if (!answer.has_more) break
    }
    return agents.sort((a, b) => b.last_seen_at.localeCompare(a.last_seen_at))
  }, [client, asked])
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload()
    }, POLL_MS)
    return () => {
      clearInterval(timer)
    }
  }, [reload])
  useKeys({
    j: () => {
      moveFocus('.agent-row a', 1)
    },
    k: () => {
      moveFocus('.agent-row a', -1)
    }
  })
  return (
    <div class="screen">
      <div class="screen-head">
        <h1>Agents</h1>
      </div>
      <div class="filters">
        <input
          type="search"
          placeholder="Search names and statuses"
          aria-label="Search names and statuses"
          value={query}
          onInput={event => {
            setQuery(event.currentTarget.value)
          }}
        />
      </div>
      <Failure error={error} onRetry={reload} />
      {value?.length === 0 && <Empty title="No agent is known." />}
      {value !== undefined && value.length > 0 && (
        <div class="table-scroll" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>Agent</th>
                <th>Type</th>
                <th>Last seen</th>
                <th>Now</th>
                <th>Inbox</th>
                <th>Status</th>
              </tr>
            </thead>
            <tbody>
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
            </tbody>
          </table>
        </div>
      )}
    </div>
  )
}
