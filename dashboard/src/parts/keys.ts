import { useLayoutEffect, useRef } from 'preact/hooks'

/** Milliseconds between the two keys of a pair. */
const PAIR_MS = 1500

/**
 * Calls what belongs to a key (`j`) or a pair of keys (`g s`), but not while somebody writes or a dialog is open. Enter
 * in a search field is `j`: it goes to the first that was found.
 */
export function useKeys(actions: Record<string, (event: KeyboardEvent) => void>): void {
  const latest = useRef(actions)
  latest.current = actions
  // Before the browser paints: whoever sees a list can use its keys at once.
  useLayoutEffect(() => {
    let first: string | undefined
    let at = 0
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (document.querySelector('dialog[open]') !== null) return
      if (isWriting(event.target)) {
        if (event.key !== 'Enter' || !isSearching(event.target)) return
        // An Enter that chooses what an input method offers, or that is held down, goes nowhere.
        if (event.isComposing) return
        // `j` moves the focus, and the browser would then press what has it.
        event.preventDefault()
        if (!event.repeat) latest.current.j?.(event)
        return
      }
      const pair = first !== undefined && Date.now() - at < PAIR_MS ? `${first} ${event.key}` : undefined
      const action = (pair !== undefined ? latest.current[pair] : undefined) ?? latest.current[event.key]
      first = event.key
      at = Date.now()
      if (action === undefined) return
      event.preventDefault()
      first = undefined
      action(event)
    }
    addEventListener('keydown', onKey)
    return () => {
      removeEventListener('keydown', onKey)
    }
  }, [])
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (/^(input|textarea|select)$/i.test(target.tagName) || target.isContentEditable)
  )
}

function isSearching(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type === 'search'
}

/** Moves the focus to the next or previous element that a selector names; to the first where none has it. */
function moveFocus(selector: string, by: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>(selector)]
  const now = all.findIndex(each => each === document.activeElement || each.contains(document.activeElement))
  const next = all[now === -1 ? 0 : Math.min(all.length - 1, Math.max(0, now + by))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

/** `j` and `k` move among the elements that a selector names; beside a list, among those of the panel one is in. */
export function listKeys(selector: string): Record<string, () => void> {
  const isBeside = () => (document.activeElement?.closest('.side') ?? null) !== null
  const here = () => (isBeside() ? '.side :is([data-item], .hit-text)' : selector)
  return {
    j: () => {
      moveFocus(here(), 1)
    },
    k: () => {
      moveFocus(here(), -1)
    }
  }
}
