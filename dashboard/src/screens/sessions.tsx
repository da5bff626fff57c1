import { useState } from 'preact/hooks'
import { Link, useLocation } from 'wouter-preact'
import type { SessionRow } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { ConnectLine } from '../parts/connect-line.js'
import { Confirm } from '../parts/dialog.js'
import { Field, SearchField } from '../parts/fields.js'
import { listKeys, useKeys } from '../parts/keys.js'
import { useSettled } from '../parts/load.js'
import { LongList } from '../parts/long-list.js'
import { Empty, Failure, LiveState } from '../parts/notes.js'
import { Sparkline } from '../parts/sparkline.js'
import { plural, visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import type { Activity } from './session-activity.js'
import { type Which, useSessionList } from './session-list.js'
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
        <LiveState state={list.stream} />
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
      {list.rows !== undefined && list.rows.length > 0 && (
        <LongList
          items={list.rows}
          keyOf={({ id }) => id}
          render={session => <Row session={session} activity={list.activityOf(session.id)} onChange={list.reload} />}
          onView={list.onView}
        />
      )}
      {list.rows !== undefined && list.has_more && list.error === undefined && <p class="hint">Loading more …</p>}
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
    <div class="session-row">
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
    </div>
  )
}

function NoSessions({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="No session fits." />
  return (
    <Empty title="There are no sessions yet.">
      <ConnectLine />
      <p>It opens a session by itself. Or open one here.</p>
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
