import { useEffect, useState } from 'preact/hooks'
import { useClient } from '../signed-in.js'

/** Milliseconds that a message is looked at until it counts as read. */
const READ_AFTER_MS = 1500

/** Marks a session as read up to a message. @param seq of the message that one looks at; undefined: of none */
export function useMarkRead(session_id: string | undefined, seq: number | undefined): void {
  const client = useClient()
  const [hidden, setHidden] = useState(document.hidden)
  useEffect(() => {
    const onChange = () => {
      setHidden(document.hidden)
    }
    document.addEventListener('visibilitychange', onChange)
    return () => {
      document.removeEventListener('visibilitychange', onChange)
    }
  }, [])
  useEffect(() => {
    if (session_id === undefined || seq === undefined || hidden) return undefined
    const timer = setTimeout(() => {
      client.call('mark_read', { session_id, up_to_seq: seq }).catch(() => {})
    }, READ_AFTER_MS)
    return () => {
      clearTimeout(timer)
    }
  }, [client, session_id, seq, hidden])
}
