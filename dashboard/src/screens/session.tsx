import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Link, useLocation } from 'wouter-preact'
import type { MessageView } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { useKeys } from '../parts/keys.js'
import { Empty, Failure, LiveState } from '../parts/notes.js'
import { useHeldWhilePressed } from '../parts/press.js'
import { plural, visibleText } from '../parts/text.js'
import { useClient } from '../signed-in.js'
import { Composer } from './composer.js'
import { ExportMenu } from './export-menu.js'
import { SessionMenu } from './session-menu.js'
import { SessionSearch } from './session-search.js'
import { Thread } from './thread.js'
import { TimelineList } from './timeline-list.js'
import { type Timeline, TimelineStore } from './timeline-store.js'

/** What is open beside the timeline. */
type Side = { kind: 'thread'; of: MessageView } | { kind: 'search' } | undefined

/** @param at the seq of the message to show; undefined: the newest */
export function SessionScreen({ session_id, at }: { session_id: string; at: number | undefined }) {
  const client = useClient()
  const [, navigate] = useLocation()
  const [jumps, setJumps] = useState(0)
  const [newestTimeline, setTimeline] = useState<Timeline | undefined>(undefined)
  const timeline = useHeldWhilePressed(newestTimeline)
  const [side, setSide] = useState<Side>(undefined)
  const [reply, setReply] = useState<MessageView | undefined>(undefined)
  const store = useRef<TimelineStore | undefined>(undefined)

  useEffect(() => {
    // A jump to where one has been before is a jump too.
    const made = new TimelineStore(client, session_id, setTimeline, at)
    store.current = made
    return () => {
      made.close()
    }
  }, [client, session_id, at, jumps])

  const open = useCallback(
    (seq: number) => {
      navigate(`/sessions/${session_id}/${seq}`)
      setJumps(made => made + 1)
      // On a phone the panel covers the timeline.
      if (matchMedia('(max-width: 48rem)').matches) setSide(undefined)
    },
    [navigate, session_id]
  )
  const retry = useCallback(() => {
    setJumps(made => made + 1)
  }, [])
  const closeSide = useCallback(() => {
    setSide(undefined)
  }, [])
  useKeys({ Escape: closeSide })
  const actions = useMemo(
    () => ({
      onReply: setReply,
      onThread: (of: MessageView) => {
        setSide({ kind: 'thread', of })
      },
      onOpen: open
    }),
    [open]
  )

  if (timeline === undefined) return <p class="note">Loading …</p>
  const { session, messages, tasks, state, error, gone } = timeline
  if (session === undefined) return <Failure error={error} onRetry={retry} />
  return (
    <div class={`session ${side === undefined ? '' : 'with-side'}`}>
      <div class="session-head">
        <Link href="/" class="back" aria-label="All sessions">
          ←
        </Link>
        <h1>{visibleText(session.purpose)}</h1>
        {!session.is_active && <span class="badge">{session.archived_at === null ? 'closed' : 'archived'}</span>}
        <LiveState state={gone ? 'over' : state} />
        <span class="grow" />
        <button
          type="button"
          data-opens-search
          onClick={() => {
            setSide({ kind: 'search' })
          }}
        >
          Search
        </button>
        <ExportMenu session={session} />
        <SessionMenu
          session={session}
          onChange={() => void store.current?.reloadSession()}
          onDeleted={() => {
            navigate('/')
          }}
        />
      </div>
      <p class="session-people">
        <span>
          {plural(session.message_count, 'message')}, opened by <AgentName name={session.created_by} />
        </span>
        {session.present.length > 0 && (
          <span class="present">
            here lately:
            {session.present.slice(0, 8).map(({ agent_id }) => (
              <AgentName key={agent_id} name={agent_id} />
            ))}
          </span>
        )}
      </p>
      <Failure error={error} />
      {gone && <p class="note">This session was deleted.</p>}
      <div class="session-body">
        <div class="session-timeline">
          {messages.length === 0 && tasks.size === 0 && !timeline.loading ? (
            <Empty title="Nothing has been said here yet.">
              <p>
                Tell an agent to join session <code>{session_id}</code>
                {client.can('write') && session.is_active && ', or write the first message below'}.
              </p>
            </Empty>
          ) : (
            <TimelineList key={timeline.key} timeline={timeline} store={store} at={at} {...actions} />
          )}
          {client.can('write') && session.is_active && !gone && (
            <Composer
              session_id={session_id}
              reply={reply}
              onReplyEnd={() => {
                setReply(undefined)
              }}
            />
          )}
        </div>
        {side?.kind === 'thread' && <Thread of={side.of} timeline={timeline} onClose={closeSide} {...actions} />}
        {side?.kind === 'search' && <SessionSearch session_id={session_id} onClose={closeSide} onOpen={open} />}
      </div>
    </div>
  )
}
