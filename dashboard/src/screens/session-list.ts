import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Output, SessionRow } from '../api/catalogue.js'
import type { Client } from '../api/client.js'
import { followEvents, type StreamState } from '../api/events.js'
import { useLoaded } from '../parts/load.js'

export type Which = 'all' | 'open' | 'closed' | 'archived'

/** What goes on in a session now. */
export interface Activity {
  present: string[]
  /** Messages in each of the last 30 minutes, the last one now. */
  per_minute: number[]
}

const PAGE = 50
const MINUTES = 30
/** Milliseconds: a session without anything new for longer has no curve. */
const ACTIVE_MS = MINUTES * 60_000
/** Sessions that are looked at more closely, each with a call of its own. */
const LOOKED_AT = 12
/** Milliseconds between a change and the next reading of the list. */
const SETTLE_MS = 500
/** Milliseconds between two readings of what no event tells: new sessions without messages. */
const POLL_MS = 4000

/** The sessions that a filter shows. The event stream of the workspace tells what changes. */
export function useSessionList(client: Client, which: Which, query: string) {
  const [pages, setPages] = useState(1)
  const [state, setState] = useState<StreamState>('connecting')
  const [activity, setActivity] = useState<ReadonlyMap<string, Activity>>(new Map())
  useEffect(() => {
    setPages(1)
  }, [which, query])

  const loaded = useLoaded(async () => {
    const rows: SessionRow[] = []
    let cursor: string | null = null
    for (let page = 0; page < pages; page++) {
      const answer: Output<'list_sessions'> = await client.read('list_sessions', {
        ...(which === 'open' && { active: true }),
        ...(which === 'closed' && { active: false }),
        ...(which === 'archived' && { archived: true }),
        ...(query !== '' && { query }),
        limit: PAGE,
        ...(cursor !== null && { cursor })
      })
      rows.push(...answer.sessions)
      cursor = answer.next_cursor
      if (!answer.has_more) break
    }
    return { rows, has_more: cursor !== null }
  }, [client, which, query, pages])

  const look = useCallback(
    async (session_id: string) => {
      const { session, messages } = await client.read('get_session', { session_id, message_limit: 200 })
      const present = session.present.map(({ agent_id }) => agent_id).filter(id => id !== client.identity.agent_id)
      setActivity(was =>
        new Map(was).set(session_id, { present, per_minute: perMinute(messages.map(({ timestamp }) => timestamp)) })
      )
    },
    [client]
  )
  const rows = loaded.value?.rows
  useEffect(() => {
    const active = (rows ?? []).filter(({ last_activity }) => Date.now() - Date.parse(last_activity) < ACTIVE_MS)
    for (const { id } of active.slice(0, LOOKED_AT)) void look(id).catch(() => {})
  }, [rows, look])

  const { reload } = loaded
  const changed = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => {
    const stop = followEvents(client, 'mcp/events', {
      onState: setState,
      onEvent: ({ event }) => {
        if (event === 'start' || event === 'position') return
        changed.current ??= setTimeout(() => {
          changed.current = undefined
          reload()
        }, SETTLE_MS)
      }
    })
    const timer = setInterval(() => {
      if (!document.hidden) reload()
    }, POLL_MS)
    return () => {
      stop()
      clearInterval(timer)
      clearTimeout(changed.current)
      changed.current = undefined
    }
  }, [client, reload])

  return {
    rows,
    has_more: loaded.value?.has_more ?? false,
    error: loaded.error,
    reload,
    more: () => {
      setPages(pages + 1)
    },
    state,
    activity
  }
}

function perMinute(times: readonly string[]): number[] {
  const counts = new Array<number>(MINUTES).fill(0)
  const now = Date.now()
  for (const time of times) {
    const ago = Math.floor((now - Date.parse(time)) / 60_000)
    const at = MINUTES - 1 - Math.max(0, ago)
    if (at >= 0) counts[at] = (counts[at] as number) + 1
  }
  return counts
}
