import { useEffect, useRef, useState } from 'preact/hooks'
import type { SharedContextEvent } from '../../../clients/typescript/src/index.js'
import type { Client } from '../api/client.js'
import { followEvents, type StreamState } from '../api/events.js'

/** Milliseconds between two readings of what no event tells: new sessions, tasks without one, leases, presence. */
const POLL_MS = 4000
/** Milliseconds between an event and the reading that it causes, so that many events cause one. */
const SETTLE_MS = 500
/**
 * Milliseconds between two readings that events cause: where something happens all the time, a page must not cost
 * much.
 */
const BETWEEN_MS = 2000

/** Calls `reload` every few seconds while the page is looked at. */
export function usePolling(reload: () => void, every_ms = POLL_MS): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload()
    }, every_ms)
    return () => {
      clearInterval(timer)
    }
  }, [reload, every_ms])
}

/**
 * Calls `reload` when the workspace's event stream tells of a change, and every few seconds.
 * @param only the kind of event that matters; undefined: any change
 * @param onEvent told of every event, at once
 * @returns the state of the stream
 */
export function useWorkspaceChanges(
  client: Client,
  reload: () => void,
  { only, onEvent }: { only?: string; onEvent?: (event: SharedContextEvent) => void } = {}
): StreamState {
  const [state, setState] = useState<StreamState>('connecting')
  const told = useRef(onEvent)
  told.current = onEvent
  usePolling(reload)
  useEffect(() => {
    let due: ReturnType<typeof setTimeout> | undefined
    let last = -Infinity
    const stop = followEvents(
      client,
      {},
      {
        onState: setState,
        onEvent: each => {
          told.current?.(each)
          const { event } = each
          if (only === undefined ? event === 'start' || event === 'position' : event !== only) return
          due ??= setTimeout(
            () => {
              due = undefined
              last = performance.now()
              reload()
            },
            Math.max(SETTLE_MS, last + BETWEEN_MS - performance.now())
          )
        }
      }
    )
    return () => {
      stop()
      clearTimeout(due)
    }
  }, [client, reload, only])
  return state
}
