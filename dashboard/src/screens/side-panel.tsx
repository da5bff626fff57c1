import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** What is open beside a list. It takes the focus, and gives it back; Escape closes it. */
export function SidePanel({
  title,
  onClose,
  children
}: {
  title: string
  onClose: () => void
  children: ComponentChildren
}) {
  const panel = useRef<HTMLElement>(null)
  // Before the browser paints: the panel gets the key that is pressed next.
  useLayoutEffect(() => {
    const before = document.activeElement
    const element = panel.current as HTMLElement
    const field = element.querySelector<HTMLElement>('input[type=search]') ?? element
    field.focus({ preventScroll: true })
    return () => {
      const { activeElement } = document
      const isElsewhere = activeElement !== document.body && !element.contains(activeElement)
      if (before instanceof HTMLElement && before.isConnected && !isElsewhere) before.focus({ preventScroll: true })
    }
  }, [])
  return (
    <aside
      ref={panel}
      class="side"
      aria-label={title}
      tabIndex={-1}
      onKeyDown={event => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <div class="side-head">
        <h2>{title}</h2>
        <button type="button" class="plain-button" aria-label={`Close ${title.toLowerCase()}`} onClick={onClose}>
          ✕
        </button>
      </div>
      <div class="side-body">{children}</div>
    </aside>
  )
}
