import { useEffect, useRef, useState } from 'preact/hooks'

/** Milliseconds that a press holds up what is shown. */
const HOLD_MS = 2000

/**
 * The value, but as it was while one presses a button or a link. What comes in that moment would move the button from
 * under the pointer, and a browser clicks only what was pressed and released at the same place.
 */
export function useHeldWhilePressed<T>(value: T): T {
  const [held, setHeld] = useState<{ value: T } | undefined>(undefined)
  const latest = useRef(value)
  latest.current = value
  useEffect(() => {
    let end: ReturnType<typeof setTimeout> | undefined
    const releaseIn = (ms: number) => {
      clearTimeout(end)
      end = setTimeout(() => {
        setHeld(undefined)
      }, ms)
    }
    const onDown = ({ target }: Event) => {
      if (!(target instanceof Element) || target.closest('button, a') === null) return
      setHeld({ value: latest.current })
      releaseIn(HOLD_MS)
    }
    const onUp = () => {
      // The click comes after it.
      releaseIn(0)
    }
    addEventListener('pointerdown', onDown, true)
    addEventListener('pointerup', onUp, true)
    addEventListener('pointercancel', onUp, true)
    return () => {
      clearTimeout(end)
      removeEventListener('pointerdown', onDown, true)
      removeEventListener('pointerup', onUp, true)
      removeEventListener('pointercancel', onUp, true)
    }
  }, [])
  return held === undefined ? value : held.value
}
