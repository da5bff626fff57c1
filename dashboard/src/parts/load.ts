import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { useHeldWhilePressed } from './press.js'

export interface Loaded<T> {
  value: T | undefined
  error: unknown
  loading: boolean
  /** Loads it again; what is shown stays meanwhile. */
  reload: () => void
}

/** What an asynchronous function brings, anew when the inputs change. An older answer never replaces a newer one. */
export function useLoaded<T>(load: () => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; error: unknown; loading: boolean }>({
    value: undefined,
    error: undefined,
    loading: true
  })
  const turn = useRef(0)
  const run = useCallback(load, inputs)
  const reload = useCallback(() => {
    const mine = ++turn.current
    setState(was => ({ ...was, loading: true }))
    run().then(
      value => {
        if (mine === turn.current) setState({ value, error: undefined, loading: false })
      },
      (error: unknown) => {
        if (mine === turn.current) setState(was => ({ ...was, error, loading: false }))
      }
    )
  }, [run])
  useEffect(() => {
    reload()
    return () => {
      turn.current++
    }
  }, [reload])
  return { ...useHeldWhilePressed(state), reload }
}

/** The value as it was until it stayed the same for so many milliseconds. */
export function useSettled<T>(value: T, ms = 250): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(value)
    }, ms)
    return () => {
      clearTimeout(timer)
    }
  }, [value, ms])
  return settled
}
