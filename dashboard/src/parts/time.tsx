import { useEffect, useState } from 'preact/hooks'

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const AGES = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' })

/** A time by the reader's clock; UTC when one points at it. */
export function Time({ at, relative = false }: { at: string; relative?: boolean }) {
  const now = useNow(relative ? 30_000 : undefined)
  const date = new Date(at)
  const text = relative
    ? age(now - date.getTime())
    : (date.toDateString() === new Date(now).toDateString() ? CLOCK : DAY).format(date)
  return (
    <time dateTime={at} title={`${at.slice(0, 19).replace('T', ' ')} UTC`}>
      {text}
    </time>
  )
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return AGES.format(-seconds, 'second')
  if (seconds < 3600) return AGES.format(-Math.round(seconds / 60), 'minute')
  if (seconds < 86_400) return AGES.format(-Math.round(seconds / 3600), 'hour')
  return AGES.format(-Math.round(seconds / 86_400), 'day')
}

/** Milliseconds since 1970, anew every so many milliseconds. */
export function useNow(every_ms: number | undefined): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (every_ms === undefined) return undefined
    const timer = setInterval(() => {
      setNow(Date.now())
    }, every_ms)
    return () => {
      clearInterval(timer)
    }
  }, [every_ms])
  return now
}
