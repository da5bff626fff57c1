import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Client } from '../api/client.js'
import { useWorkspaceChanges } from '../parts/fresh.js'
import { useHeldWhilePressed } from '../parts/press.js'
import { SessionActivity } from './session-activity.js'
import { type SessionRows, SessionRowStore } from './session-rows.js'

export type Which = 'all' | 'open' | 'closed' | 'archived'

/** Milliseconds that the list stands still until what is in view is looked at more closely. */
const STILL_MS = 200

/** The sessions that a filter shows. The event stream of the workspace tells what changes. */
export function useSessionList(client: Client, which: Which, query: string) {
  const [state, setState] = useState<SessionRows>({ rows: undefined, has_more: false, error: undefined })
  const [, setTold] = useState(0)
  const store = useRef<SessionRowStore | undefined>(undefined)
  const activity = useRef<SessionActivity | undefined>(undefined)
  const [view, setView] = useState<readonly [first: number, last: number]>([0, 0])

  useEffect(() => {
    const made = new SessionActivity(client, () => {
      setTold(times => times + 1)
    })
    activity.current = made
    return () => {
      made.close()
    }
  }, [client])
  useEffect(() => {
    const filter = {
      ...(which === 'open' && { active: true }),
      ...(which === 'closed' && { active: false }),
      ...(which === 'archived' && { archived: true }),
      ...(query !== '' && { query })
    }
    const made = new SessionRowStore(client, filter, setState)
    store.current = made
    return () => {
      made.close()
    }
  }, [client, which, query])

  const { rows } = state
  useEffect(() => {
    store.current?.look(view[0], view[1])
    const timer = setTimeout(() => {
      activity.current?.look(rows?.slice(view[0], view[1] + 1) ?? [])
    }, STILL_MS)
    return () => {
      clearTimeout(timer)
    }
  }, [rows, view])

  const reload = useCallback(() => store.current?.refresh(), [])
  const stream = useWorkspaceChanges(client, reload, {
    onEvent: event => activity.current?.apply(event)
  })
  const onView = useCallback((first: number, last: number) => {
    setView([first, last])
  }, [])
  return {
    ...useHeldWhilePressed(state),
    reload,
    onView,
    stream,
    activityOf: (session_id: string) => activity.current?.of(session_id)
  }
}
