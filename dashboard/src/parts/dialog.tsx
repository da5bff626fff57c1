import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Failure } from './notes.js'

/** A dialog of the browser's own: it keeps the focus, and Escape closes it. */
export function Dialog({
  title,
  onClose,
  children,
  wide = false
}: {
  title: string
  onClose: () => void
  children: ComponentChildren
  wide?: boolean
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  // Before the browser paints: the dialog gets the key that is pressed next.
  useLayoutEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} class={wide ? 'wide' : ''} aria-labelledby="dialog-title" onClose={onClose}>
      <div class="dialog-head">
        <h2 id="dialog-title">{title}</h2>
        <button
          type="button"
          class="plain-button"
          aria-label="Close this window"
          onClick={() => dialog.current?.close()}
        >
          ✕
        </button>
      </div>
      {children}
    </dialog>
  )
}

/** Asks before an act, and says why it failed if it did. */
export function Confirm({
  title,
  children,
  act,
  verb,
  dangerous = false,
  onDone
}: {
  title: string
  children?: ComponentChildren
  act: () => Promise<unknown>
  /** What the button says. */
  verb: string
  dangerous?: boolean
  onDone: (done: boolean) => void
}) {
  const [error, setError] = useState<unknown>(undefined)
  const [busy, setBusy] = useState(false)
  const run = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      await act()
      onDone(true)
    } catch (fault) {
      setError(fault)
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={title}
      onClose={() => {
        onDone(false)
      }}
    >
      <form onSubmit={event => void run(event)}>
        {children}
        <Failure error={error} />
        <div class="buttons">
          <button
            type="button"
            onClick={() => {
              onDone(false)
            }}
          >
            Cancel
          </button>
          <button type="submit" class={dangerous ? 'danger' : 'primary'} disabled={busy}>
            {verb}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
