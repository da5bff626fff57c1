import { Link, useLocation } from 'wouter-preact'
import type { MessageView } from '../api/catalogue.js'
import type { Client } from '../api/client.js'
import { readPages } from '../api/pages.js'
import { AgentName } from '../parts/agent.js'
import { usePolling } from '../parts/fresh.js'
import { useLoaded } from '../parts/load.js'
import { Empty, Failure } from '../parts/notes.js'
import { Sparkline } from '../parts/sparkline.js'
import { shortText, visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { Remembered } from './remembered.js'

/** Sessions that are looked through for messages of the agent: the newest ones. */
const SESSIONS = 12
const HOURS = 24
/** Pages of 200 that are read at most of agents, and of what one remembers. */
const PAGES = 5
/** Milliseconds between two readings: each takes a call for every session. */
const EVERY_MS = 15_000

/** One agent: what it has written lately; for admins its keys; and for itself alone what it remembers. */
export function AgentScreen({ agent_id }: { agent_id: string }) {
  const client = useClient()
  const [, navigate] = useLocation()
  const { value, error, reload } = useLoaded(async () => load(client, agent_id), [client, agent_id])
  usePolling(reload, EVERY_MS)
  return (
    <div class="screen">
      <div class="screen-head">
        <Link href="/agents" class="back" aria-label="All agents">
          ←
        </Link>
        <h1>
          <AgentName name={agent_id} />
        </h1>
      </div>
      <Failure error={error} onRetry={reload} />
      {value !== undefined && (
        <>
          <p class="hint">
            {value.agent === undefined ? (
              'Nobody has called by this name lately.'
            ) : (
              <>
                {visibleText(value.agent.agent_type)}, last seen <Time at={value.agent.last_seen_at} relative />
                {value.agent.waiting && ', waiting now'}; {value.agent.inbox} in its inbox.{' '}
                {visibleText(value.agent.status ?? '')}
              </>
            )}
          </p>
          <h2>Messages in the newest {SESSIONS} sessions</h2>
          <Sparkline counts={perHour(value.messages)} what="messages an hour" unit="hours" />
          {value.messages.length === 0 && <Empty title="None that you may see." />}
          <ol class="hits">
            {value.messages.slice(0, 50).map(message => (
              <li key={message.id} class="hit">
                <Time at={message.timestamp} />
                <button
                  type="button"
                  class="hit-text"
                  onClick={() => {
                    navigate(`/sessions/${message.session_id}/${message.seq}`)
                  }}
                >
                  {shortText(message.content, 240)}
                </button>
              </li>
            ))}
          </ol>
          {value.keys !== undefined && (
            <>
              <h2>Keys</h2>
              {value.keys.length === 0 && <p class="hint">It has no key of its own.</p>}
              <ul>
                {value.keys.map(key => (
                  <li key={key.key_id}>
                    {key.agent_id !== agent_id && `${visibleText(key.agent_id)}, `}
                    {key.key_id}: {key.permissions.join(', ')}, made <Time at={key.created_at} />
                  </li>
                ))}
              </ul>
            </>
          )}
          {value.memory !== undefined && (
            <>
              <h2>What you remember</h2>
              {value.memory.length === 0 && <p class="hint">Nothing.</p>}
              <ul>
                {value.memory.map(entry => (
                  <Remembered key={`${entry.session_id} ${entry.key}`} entry={entry} />
                ))}
              </ul>
            </>
          )}
        </>
      )}
    </div>
  )
}

async function load(client: Client, agent_id: string) {
  const { sessions } = await client.call('list_sessions', { limit: SESSIONS })
  const [found, pages, keys, memory] = await Promise.all([
    readPages(from => client.call('list_agents', { query: agent_id, limit: 200, ...from }), PAGES),
    Promise.all(
      sessions.map(({ id }) => client.call('search_by_sender', { session_id: id, sender: agent_id, limit: 100 }))
    ),
    client.can('admin') ? readPages(from => client.call('list_api_keys', { limit: 200, ...from })) : undefined,
    client.identity.agent_id === agent_id
      ? readPages(from => client.call('list_memory', { session_id: 'all', limit: 200, ...from }), PAGES)
      : undefined
  ])
  return {
    agent: found.pages.flatMap(({ agents }) => agents).find(agent => agent.agent_id === agent_id),
    messages: pages.flatMap(({ messages }) => messages).sort((a, b) => b.timestamp.localeCompare(a.timestamp)),
    keys: keys?.pages.flatMap(page => page.keys).filter(key => isKeyOf(key.agent_id, agent_id)),
    memory: memory?.pages.flatMap(({ entries }) => entries)
  }
}

/** A key is for one name, or, with * at its end, for all that begin so. */
function isKeyOf(name: string, agent_id: string): boolean {
  return name.endsWith('*') ? agent_id.startsWith(name.slice(0, -1)) : name === agent_id
}

function perHour(messages: readonly MessageView[]): number[] {
  const counts = new Array<number>(HOURS).fill(0)
  for (const { timestamp } of messages) {
    const at = HOURS - 1 - Math.floor(Math.max(0, Date.now() - Date.parse(timestamp)) / 3_600_000)
    if (at >= 0) counts[at] = (counts[at] as number) + 1
  }
  return counts
}
