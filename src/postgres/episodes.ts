/** A fault that goes on is told when it begins and when it is over, and not each time in between. */
export interface Episode {
  /** The fault has happened. */
  fault: (error: unknown) => void
  close: () => void
}

/** Milliseconds without the fault after which it is over. */
const QUIET_MS = 30_000

export interface EpisodeOptions {
  onBegin: (error: unknown) => void
  /** @param times how often it has happened, the first time included */
  onEnd: (times: number, seconds: number) => void
  /** Whether all is well now. An episode does not end before. Default: always. */
  isOver?: () => boolean
  quiet_ms?: number
}

export function trackEpisodes({ onBegin, onEnd, isOver = () => true, quiet_ms = QUIET_MS }: EpisodeOptions): Episode {
  let times = 0
  let began_at = 0
  let last_at = 0
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    if (performance.now() - last_at < quiet_ms || !isOver()) return
    clearInterval(timer)
    timer = undefined
    onEnd(times, Math.round((last_at - began_at) / 1000))
  }

  return {
    fault(error) {
      last_at = performance.now()
      times = timer === undefined ? 1 : times + 1
      if (timer !== undefined) return
      began_at = last_at
      timer = setInterval(look, quiet_ms / 10)
      timer.unref()
      onBegin(error)
    },
    close() {
      clearInterval(timer)
    }
  }
}
