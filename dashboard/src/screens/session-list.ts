import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Client } from '../api/client.js'
import { readPages } from '../api/pages.js'
import { useWorkspaceChanges } from '../parts/fresh.js'
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
/** Milliseconds after which a session is looked at again in which nothing was written: others may have come. */
const LOOK_AGAIN_MS = 30_000
/** The same where something was written. */
const LOOK_MS = 5000

/** The sessions that a filter shows. The event stream of the workspace tells what changes. */
export function useSessionList(client: Client, which: Which, query: string) {
  const [pages, setPages] = useState(1)
  const [activity, setActivity] = useState<ReadonlyMap<string, Activity>>(new Map())
  useEffect(() => {
    setPages(1)
  }, [which, query])

  const loaded = useLoaded(async () => {
    const read = await readPages(
      from =>
        client.call('list_sessions', {
          ...(which === 'open' && { active: true }),
          ...(which === 'closed' && { active: false }),
          ...(which === 'archived' && { archived: true }),
          ...(query !== '' && { query }),
          limit: PAGE,
          ...from
        }),
      pages
    )
    return { rows: read.pages.flatMap(({ sessions }) => sessions), has_more: read.has_more }
  }, [client, which, query, pages])

  const look = useCallback(
    async (session_id: string) => {
      const { session, messages } = await client.call('get_session', { session_id, message_limit: 200 })
      const present = session.present.map(({ agent_id }) => agent_id).filter(id => id !== client.identity.agent_id)
      setActivity(was =>
        new Map(was).set(session_id, { present, per_minute: perMinute(messages.map(({ timestamp }) => timestamp)) })
      )
    },
    [client]
  )
  const rows = loaded.value?.rows
  const looks = useRef(new Map<string, { at: number; last_activity: string }>())
  useEffect(() => {
    const now = Date.now()
    const active = (rows ?? []).filter(({ last_activity }) => now - Date.parse(last_activity) < ACTIVE_MS)
    for (const { id, last_activity } of active.slice(0, LOOKED_AT)) {
      const last = looks.current.get(id)
      if (last !== undefined && now - last.at < (last.last_activity === last_activity ? LOOK_AGAIN_MS : LOOK_MS))
        continue
      looks.current.set(id, { at: now, last_activity })
      void look(id).catch(() => {})
    }
  }, [rows, look])

  const { reload } = loaded
  const state = useWorkspaceChanges(client, reload)
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
