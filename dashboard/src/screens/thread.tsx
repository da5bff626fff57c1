import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { MessageView } from '../api/catalogue.js'
import { Failure } from '../parts/notes.js'
import { plural } from '../parts/text.js'
import { useClient } from '../signed-in.js'
import { type MessageActions, MessageItem } from './message.js'
import { SidePanel } from './side-panel.js'
import { ancestors, type Reading, threadOf, ThreadStore } from './thread-store.js'
import type { Timeline } from './timeline-store.js'

/** Steps to the right at most: the panel is narrow. */
const DEPTH = 6
/** Messages that are shown before and behind the one that was opened, and how many more at a time. */
const AROUND = 100

/** A whole thread: from its first message on all answers, each below what it answers. New ones come live. */
export function Thread({
  of,
  timeline,
  onClose,
  ...actions
}: MessageActions & {
  of: MessageView
  timeline: Timeline
  onClose: () => void
}) {
  const client = useClient()
  const { messages, beyond, removed } = timeline
  const latest = useRef(timeline)
  latest.current = timeline
  const store = useRef<ThreadStore | undefined>(undefined)
  const [reading, setReading] = useState<Reading | undefined>(undefined)
  const [around, setAround] = useState({ before: AROUND, behind: AROUND })
  useEffect(() => {
    const made = new ThreadStore(client, of, () => latest.current, setReading)
    store.current = made
    setAround({ before: AROUND, behind: AROUND })
    return () => {
      made.close()
    }
  }, [client, of.id])
  // What was taken back, or is not loaded any more, still holds the thread together.
  const seen = useRef(new Map<number, MessageView>([[of.id, of]]))
  const { first, all } = useMemo(() => {
    const known = new Map(seen.current)
    for (const each of [of, ...(reading?.found.values() ?? []), ...beyond, ...messages]) known.set(each.id, each)
    const first = ancestors(of, id => known.get(id)).at(-1) ?? of
    const whole = threadOf(first, known)
    for (const { message } of whole) seen.current.set(message.id, message)
    // One that was taken back is named where it was opened, or where others answer it.
    const all = whole.filter(
      ({ message: { id }, depth }, i) => !removed.has(id) || id === of.id || (whole[i + 1]?.depth ?? 0) > depth
    )
    return { first, all }
  }, [of, reading, messages, beyond, removed])
  const at = all.findIndex(({ message }) => message.id === of.id)
  const shown = all.slice(Math.max(0, at - around.before), at + around.behind + 1)
  const [left_before, left_behind] = [Math.max(0, at - around.before), Math.max(0, all.length - at - 1 - around.behind)]

  const opened = useRef<HTMLLIElement>(null)
  const loading = reading?.loading ?? true
  useLayoutEffect(() => {
    opened.current?.scrollIntoView({ block: 'center' })
  }, [of.id, loading])
  const more = () => void store.current?.more()
  const parentOf = ({ parent_message_id: id }: MessageView) =>
    id === null || removed.has(id) ? undefined : seen.current.get(id)
  return (
    <SidePanel title="Thread" onClose={onClose}>
      <p class="hint" role="status">
        {loading && all.length === 1
          ? 'Reading …'
          : all.length === 1
            ? 'No answers yet.'
            : plural(all.length, 'message')}
        {reading?.more_below === true && ' so far'}
      </p>
      <Failure error={reading?.error} onRetry={more} />
      {reading?.more_above === true ? (
        <More disabled={loading} onClick={more}>
          Look further back for the first message
        </More>
      ) : (
        first.parent_message_id !== null &&
        !loading && <p class="hint">What this answers is gone, or not for you to see.</p>
      )}
      {left_before > 0 && (
        <More
          onClick={() => {
            setAround(was => ({ ...was, before: was.before + AROUND }))
          }}
        >
          Show earlier ones: {left_before.toLocaleString()}
        </More>
      )}
      <ol class="thread">
        {shown.map(({ message, depth }, i) => (
          <li
            key={message.id}
            ref={message.id === of.id ? opened : undefined}
            style={{ '--depth': String(Math.min(depth, DEPTH)) }}
          >
            {removed.has(message.id) ? (
              <p class="hint">This message was taken back.</p>
            ) : (
              <MessageItem
                message={message}
                reply={parentOf(message)}
                marked={message.id === of.id && all.length > 1}
                quotes={message.parent_message_id !== shown[i - 1]?.message.id}
                {...actions}
              />
            )}
          </li>
        ))}
      </ol>
      {left_behind > 0 ? (
        <More
          onClick={() => {
            setAround(was => ({ ...was, behind: was.behind + AROUND }))
          }}
        >
          Show more answers: {left_behind.toLocaleString()}
        </More>
      ) : (
        reading?.more_below === true && (
          <More disabled={loading} onClick={more}>
            Read more answers
          </More>
        )
      )}
    </SidePanel>
  )
}

function More({
  disabled = false,
  onClick,
  children
}: {
  disabled?: boolean
  onClick: () => void
  children: ComponentChildren
}) {
  return (
    <button type="button" class="more" disabled={disabled} onClick={onClick}>
      {children}
    </button>
  )
}
