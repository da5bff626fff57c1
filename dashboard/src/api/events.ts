import { addressOf } from './base.js'
import type { Client } from './client.js'
import { endsSignIn, failureOf, unreachable } from './failure.js'

export interface StreamEvent {
  id: string
  event: string
  // Each kind of event has fields of its own; docs/event-streams.md lists them.
  data: Record<string, unknown>
}

/** `lost`: nothing comes at the moment, and the page tries again. `over`: nothing will come any more. */
export type StreamState = 'connecting' | 'live' | 'lost' | 'over'

export interface Listener {
  onEvent: (event: StreamEvent) => void
  onState: (state: StreamState) => void
}

/** The server sends something every 15 s; a connection that is silent for this many milliseconds is dead. */
const SILENT_MS = 40_000
/** Milliseconds before coming back, at first and at most. */
const RETRY_MS = 500
const RETRY_MAX_MS = 10_000

/**
 * Follows an event stream until it is told to stop. It comes back by itself after the last event that it had. The token
 * goes into a header, never into the address, which proxies write down.
 * @returns what stops it
 */
export function followEvents(client: Client, path: string, listener: Listener): () => void {
  const stop = new AbortController()
  void follow(client, path, listener, stop.signal)
  return () => {
    stop.abort()
  }
}

async function follow(client: Client, path: string, listener: Listener, stop: AbortSignal): Promise<void> {
  const cursor = { id: undefined as string | undefined }
  listener.onState('connecting')
  for (let failures = 0; !stop.aborted; failures++) {
    try {
      const over = await followOnce(client, path, listener, cursor, stop, () => {
        failures = 0
      })
      if (over) {
        listener.onState('over')
        return
      }
    } catch (error) {
      if (stop.aborted) return
      if (endsSignIn(error)) {
        client.end((error as Error).message)
        return
      }
    }
    if (stop.aborted) return
    listener.onState('lost')
    await new Promise(resolve => setTimeout(resolve, Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** failures)))
  }
}

/** @returns whether the stream is over for good */
async function followOnce(
  client: Client,
  path: string,
  { onEvent, onState }: Listener,
  cursor: { id: string | undefined },
  stop: AbortSignal,
  onLive: () => void
): Promise<boolean> {
  const silence = new AbortController()
  let timer = setTimeout(() => {
    silence.abort()
  }, SILENT_MS)
  try {
    const answer = await fetch(addressOf(path), {
      headers: { ...client.headers(), ...(cursor.id !== undefined && { 'last-event-id': cursor.id }) },
      signal: AbortSignal.any([stop, silence.signal])
    }).catch(() => {
      throw unreachable()
    })
    if (!answer.ok || answer.body === null) throw await failureOf(answer)
    onState('live')
    onLive()
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return false
      clearTimeout(timer)
      timer = setTimeout(() => {
        silence.abort()
      }, SILENT_MS)
      const blocks = (rest + value).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = eventIn(block)
        if (event === undefined) continue
        if (event.id !== '') cursor.id = event.id
        if (event.event === 'end') {
          if (event.data.reason === 'session_gone') onEvent(event)
          return event.data.reason === 'session_gone'
        }
        onEvent(event)
      }
    }
  } finally {
    clearTimeout(timer)
  }
}

/** The event of one block of lines; undefined for a comment. */
function eventIn(block: string): StreamEvent | undefined {
  const fields: Record<string, string> = {}
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart()
  }
  if (fields.event === undefined) return undefined
  return {
    id: fields.id ?? '',
    event: fields.event,
    data: JSON.parse(fields.data === undefined || fields.data === '' ? '{}' : fields.data) as Record<string, unknown>
  }
}
