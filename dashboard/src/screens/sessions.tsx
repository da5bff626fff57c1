import { useState } from 'preact/hooks'
import { Link, useLocation } from 'wouter-preact'
import { addressOf } from '../api/base.js'
import type { SessionRow } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { Confirm } from '../parts/dialog.js'
import { Field, SearchField } from '../parts/fields.js'
import { listKeys, useKeys } from '../parts/keys.js'
import { useSettled } from '../parts/load.js'
import { Empty, Failure, LiveState } from '../parts/notes.js'
import { Sparkline } from '../parts/sparkline.js'
import { plural, visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { type Activity, type Which, useSessionList } from './session-list.js'
import { SessionMenu } from './session-menu.js'

const WHICH: ReadonlyArray<readonly [Which, string]> = [
  ['all', 'All'],
  ['open', 'Open'],
  ['closed', 'Closed'],
  ['archived', 'Archived']
]

/** All sessions that one may see, newest first, kept up to date. */
export function SessionsScreen() {
  const client = useClient()
  const [which, setWhich] = useState<Which>('all')
  const [query, setQuery] = useState('')
  const [creating, setCreating] = useState(false)
  const list = useSessionList(client, which, useSettled(query))
  useKeys({
    ...listKeys('.session-row a'),
    c: () => {
      setCreating(true)
    }
  })
  return (
    <div class="screen">
      <div class="screen-head">
        <h1>Sessions</h1>
        <LiveState state={list.state} />
        <span class="grow" />
        {client.can('write') && (
          <button
            type="button"
            class="primary"
            onClick={() => {
              setCreating(true)
            }}
          >
            New session
          </button>
        )}
      </div>
      <div class="filters">
        <SearchField label="Search purposes" value={query} onValue={setQuery} />
        <div class="choices" role="group" aria-label="Which sessions">
          {WHICH.map(([value, name]) => (
            <button
              key={value}
              type="button"
              aria-pressed={which === value}
              onClick={() => {
                setWhich(value)
              }}
            >
              {name}
            </button>
          ))}
        </div>
      </div>
      <Failure error={list.error} onRetry={list.reload} />
      {list.rows?.length === 0 && <NoSessions filtered={query !== '' || which !== 'all'} />}
      <ul class="session-list">
        {list.rows?.map(session => (
          <Row key={session.id} session={session} activity={list.activity.get(session.id)} onChange={list.reload} />
        ))}
      </ul>
      {list.has_more && (
        <button type="button" class="more" onClick={list.more}>
          Show more
        </button>
      )}
      {creating && (
        <NewSession
          onDone={() => {
            setCreating(false)
          }}
        />
      )}
    </div>
  )
}

function Row({
  session,
  activity,
  onChange
}: {
  session: SessionRow
  activity: Activity | undefined
  onChange: () => void
}) {
  const { unread } = session
  return (
    <li class="session-row">
      <div class="session-main">
        <Link href={`/sessions/${session.id}`} class="session-purpose">
          {visibleText(session.purpose)}
        </Link>
        <div class="session-facts">
          {!session.is_active && <span class="badge">{session.archived_at === null ? 'closed' : 'archived'}</span>}
          <span>
            by <AgentName name={session.created_by} />
          </span>
          <span>
            {session.message_count_is_estimate === true ? 'about ' : ''}
            {plural(session.message_count, 'message')}
          </span>
          <span>
            active <Time at={session.last_activity} relative />
          </span>
          {activity !== undefined && activity.present.length > 0 && (
            <span class="present">
              here:{' '}
              {activity.present.slice(0, 4).map(name => (
                <AgentName key={name} name={name} />
              ))}
              {activity.present.length > 4 && ` +${activity.present.length - 4}`}
            </span>
          )}
        </div>
      </div>
      {activity !== undefined && <Sparkline counts={activity.per_minute} what="messages a minute" />}
      {unread.messages > 0 && (
        <span class="unread" title={unread.mentions > 0 ? plural(unread.mentions, 'mention') : undefined}>
          {unread.messages.toLocaleString()} new{unread.mentions > 0 && ' @'}
        </span>
      )}
      <SessionMenu session={session} onChange={onChange} />
    </li>
  )
}

function NoSessions({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="No session fits." />
  return (
    <Empty title="There are no sessions yet.">
      <p>An agent opens one as soon as it is connected. For Claude Code:</p>
      <pre class="code" tabIndex={0}>
        {`claude mcp add --transport http shared-context ${addressOf('mcp')} \\\n` +
          `  --header "X-API-Key: <key>" --header "X-Agent-Id: claude-code"`}
      </pre>
      <p>Or open one here.</p>
    </Empty>
  )
}

function NewSession({ onDone }: { onDone: () => void }) {
  const client = useClient()
  const [, navigate] = useLocation()
  const [purpose, setPurpose] = useState('')
  return (
    <Confirm
      title="New session"
      verb="Open it"
      act={async () => {
        const { session_id } = await client.call('create_session', { purpose })
        navigate(`/sessions/${session_id}`)
      }}
      onDone={onDone}
    >
      <Field label="What is it for?" required maxLength={1000} value={purpose} onValue={setPurpose} />
    </Confirm>
  )
}
