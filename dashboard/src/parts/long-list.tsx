import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Virtualizer, type VirtualizerHandle } from 'virtua'

/** A list of which only what is in view is in the page. It scrolls with the screen that it is on. */
export function LongList<T>({
  items,
  keyOf,
  render,
  onView
}: {
  items: readonly T[]
  keyOf: (item: T) => string
  render: (item: T) => ComponentChildren
  /** Told of the first and the last item in view, when they change. */
  onView: (first: number, last: number) => void
}) {
  const place = useRef<HTMLDivElement>(null)
  const scroller = useRef<HTMLElement | null>(null)
  const list = useRef<VirtualizerHandle>(null)
  const [above, setAbove] = useState<number | undefined>(undefined)
  const view = useRef('')

  // If new items come before the first while the reader is further down, the list keeps its place.
  const first = useRef<string | undefined>(undefined)
  const begin = items[0] === undefined ? undefined : keyOf(items[0])
  const shifted =
    first.current !== begin &&
    (scroller.current?.scrollTop ?? 0) > (above ?? 0) &&
    items.some(item => keyOf(item) === first.current)
  useLayoutEffect(() => {
    first.current = begin
  })

  const look = () => {
    if (list.current === null) return
    const { scrollOffset, viewportSize } = list.current
    const first = list.current.findItemIndex(scrollOffset)
    const last = list.current.findItemIndex(scrollOffset + viewportSize)
    if (view.current === `${first} ${last} ${items.length}`) return
    view.current = `${first} ${last} ${items.length}`
    onView(first, last)
  }
  // What is above the list may grow: a failure, filters that go into a second line.
  const measure = () => {
    const element = place.current as HTMLElement
    const main = (scroller.current ??= element.closest('main')) as HTMLElement
    setAbove(Math.round(element.getBoundingClientRect().top - main.getBoundingClientRect().top + main.scrollTop))
  }
  useLayoutEffect(measure)
  useEffect(look)
  useEffect(() => {
    const sizes = new ResizeObserver(measure)
    sizes.observe(place.current?.parentElement as HTMLElement)
    return () => {
      sizes.disconnect()
    }
  }, [])
  return (
    <div ref={place} class="long-list">
      {above !== undefined && (
        <Virtualizer
          ref={list}
          as="ul"
          item="li"
          scrollRef={scroller}
          startMargin={above}
          shift={shifted}
          onScroll={look}
          onResize={look}
        >
          {items.map(item => (
            <div key={keyOf(item)} class="long-list-item">
              {render(item)}
            </div>
          ))}
        </Virtualizer>
      )}
    </div>
  )
}
