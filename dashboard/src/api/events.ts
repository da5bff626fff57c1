import type { SharedContextEvent } from '../../../clients/typescript/src/index.js'
import type { Client } from './client.js'

/** `lost`: nothing comes at the moment, and the page tries again. `over`: nothing will come any more. */
export type StreamState = 'connecting' | 'live' | 'lost' | 'over'

export interface Listener {
  onEvent: (event: SharedContextEvent) => void
  onState: (state: StreamState) => void
}

/**
 * Follows an event stream until it is told to stop.
 * @param of one session from a number on; nothing: all sessions, from now on
 * @returns what stops it
 */
export function followEvents(
  client: Client,
  of: { sessionId?: string; afterSeq?: number },
  listener: Listener
): () => void {
  const stop = new AbortController()
  void follow(client, of, listener, stop.signal)
  return () => {
    stop.abort()
  }
}

async function follow(
  client: Client,
  of: { sessionId?: string; afterSeq?: number },
  { onEvent, onState }: Listener,
  signal: AbortSignal
): Promise<void> {
  onState('connecting')
  try {
    for await (const event of client.service.events({ ...of, onState, signal })) onEvent(event)
    if (!signal.aborted) onState('over')
  } catch (error) {
    client.endIfOver(error)
    onState('over')
  }
}
