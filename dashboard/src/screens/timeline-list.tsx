import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { VList, type VListHandle } from 'virtua'
import type { MessageView, TaskView } from '../api/catalogue.js'
import { listKeys, useKeys } from '../parts/keys.js'
import { useMarkRead } from './mark-read.js'
import { type MessageActions, MessageItem } from './message.js'
import { TaskLine } from './task-line.js'
import type { Timeline, TimelineStore } from './timeline-store.js'

/** Pixels from an edge within which one counts as being there. */
const NEAR_END = 60
const NEAR_EDGE = 600
/** Milliseconds after which the list has measured what is in view. */
const SIZES_KNOWN_MS = 500

type Item = { kind: 'message'; message: MessageView; reply: MessageView | undefined } | { kind: 'task'; task: TaskView }

/**
 * The messages and tasks of a session as a list of which only what is in view is in the page. It stays at the end while
 * one is there, and keeps its place otherwise.
 */
export function TimelineList({
  timeline,
  store,
  at,
  ...actions
}: MessageActions & {
  timeline: Timeline
  store: RefObject<TimelineStore | undefined>
  /** The seq that the address names. */
  at: number | undefined
}) {
  const { messages, tasks, arrived, has_older, has_newer, loading, error } = timeline
  const list = useRef<VListHandle>(null)
  const [atEnd, setAtEnd] = useState(at === undefined)
  const items = useMemo(() => itemsOf(messages, tasks, has_older), [messages, tasks, has_older])
  const keys = items.map(keyOf)

  // Where older ones were put before the first, the list is told to keep its place.
  const first = useRef<string | undefined>(undefined)
  const shifted = first.current !== undefined && first.current !== keys[0] && keys.includes(first.current)
  useLayoutEffect(() => {
    first.current = keys[0]
  })

  const settled = useRef(false)
  useLayoutEffect(() => {
    if (items.length === 0) return
    if (!settled.current) {
      // Before what follows the message is there, it would stand at the end, and the list would stay at the end.
      if (at !== undefined && loading) return
      settled.current = true
      const there = at === undefined ? -1 : items.findIndex(item => item.kind === 'message' && item.message.seq >= at)
      list.current?.scrollToIndex(there === -1 ? items.length - 1 : there, { align: there === -1 ? 'end' : 'center' })
    } else if (atEnd && !has_newer) {
      list.current?.scrollToIndex(items.length - 1, { align: 'end' })
    }
  }, [items, atEnd, has_newer, at, loading])

  const loadNear = (offset: number, left: number) => {
    if (loading) return
    if (offset < NEAR_EDGE && has_older) void store.current?.older()
    if (left < NEAR_EDGE && has_newer) void store.current?.newer()
  }
  const onScroll = (offset: number) => {
    const { scrollSize = 0, viewportSize = 0 } = list.current ?? {}
    const left = scrollSize - viewportSize - offset
    setAtEnd(left < NEAR_END)
    loadNear(offset, left)
  }
  // Who reached an edge while something else was loaded does not scroll any further. What failed is not tried again.
  useEffect(() => {
    if (list.current === null || !settled.current || error !== undefined) return
    const { scrollOffset, scrollSize, viewportSize } = list.current
    loadNear(scrollOffset, scrollSize - viewportSize - scrollOffset)
  }, [loading])
  // Where all of it is in view, nothing is ever scrolled: then one is at its end too.
  useEffect(() => {
    if (atEnd || loading) return undefined
    const timer = setTimeout(() => {
      if (list.current === null) return
      const { scrollOffset, scrollSize, viewportSize } = list.current
      if (scrollSize - viewportSize - scrollOffset < NEAR_END) setAtEnd(true)
    }, SIZES_KNOWN_MS)
    return () => {
      clearTimeout(timer)
    }
  }, [items, loading])
  useMarkRead(timeline.session?.id, atEnd && !has_newer ? messages.at(-1)?.seq : undefined)
  const toEnd = () => {
    void store.current?.newest()
    setAtEnd(true)
    list.current?.scrollToIndex(items.length - 1, { align: 'end' })
  }
  useKeys({
    ...listKeys('.timeline [data-item]'),
    End: toEnd
  })

  const seen = useRef(arrived)
  useEffect(() => {
    if (atEnd) seen.current = arrived
  }, [atEnd, arrived])
  const unseen = arrived - seen.current

  return (
    <div class="timeline" role="log" aria-label="Messages" aria-live="off">
      <VList
        ref={list as RefObject<VListHandle & HTMLDivElement>}
        shift={shifted}
        onScroll={onScroll}
        class="timeline-scroll"
      >
        {items.map((item, i) => (
          <div key={keys[i]} class="timeline-item">
            {item.kind === 'message' ? (
              <MessageItem message={item.message} reply={item.reply} marked={item.message.seq === at} {...actions} />
            ) : (
              <TaskLine task={item.task} />
            )}
          </div>
        ))}
      </VList>
      {!atEnd && (
        <button type="button" class="to-end" onClick={toEnd}>
          {unseen > 0 ? `${unseen} new ↓` : 'To the newest ↓'}
        </button>
      )}
    </div>
  )
}

function itemsOf(
  messages: readonly MessageView[],
  tasks: ReadonlyMap<string, TaskView>,
  has_older: boolean
): readonly Item[] {
  const by_id = new Map(messages.map(message => [message.id, message]))
  const items: Item[] = messages.map(message => ({
    kind: 'message',
    message,
    reply: message.parent_message_id === null ? undefined : by_id.get(message.parent_message_id)
  }))
  const begin = has_older ? (messages[0]?.timestamp ?? '') : ''
  const shown = [...tasks.values()].filter(({ created_at }) => created_at >= begin)
  if (shown.length === 0) return items
  return [...items, ...shown.map((task): Item => ({ kind: 'task', task }))].sort((a, b) =>
    timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0
  )
}

function timeOf(item: Item): string {
  return item.kind === 'message' ? item.message.timestamp : item.task.created_at
}

function keyOf(item: Item): string {
  return item.kind === 'message' ? `m${item.message.id}` : item.task.task_id
}
