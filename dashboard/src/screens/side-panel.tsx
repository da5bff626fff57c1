import type { ComponentChildren } from 'preact'

export function SidePanel({
  title,
  onClose,
  children
}: {
  title: string
  onClose: () => void
  children: ComponentChildren
}) {
  return (
    <aside class="side" aria-label={title}>
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
