/** One event of a stream, as the standard of server-sent events reads it. */
export interface ServerSentEvent {
  /** Empty if it has none. */
  id: string
  event: string
  data: unknown
}

/**
 * The events in the body of an answer.
 * @param onData told whenever something comes, also a comment
 * @throws what reading the body throws; SyntaxError if the data of an event is not JSON
 */
export async function* eventsIn(body: ReadableStream<Uint8Array>, onData: () => void): AsyncGenerator<ServerSentEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (let rest = ''; ;) {
      const { done, value } = await reader.read()
      if (done) return
      onData()
      const blocks = (rest + decoder.decode(value, { stream: true })).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = eventOf(block)
        if (event !== undefined) yield event
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** The event of one block of lines; undefined for a comment, and for the time that `retry` names. */
function eventOf(block: string): ServerSentEvent | undefined {
  const fields: Record<string, string> = {}
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).replace(/^ /, '')
    fields[name] = fields[name] === undefined ? value : `${fields[name]}\n${value}`
  }
  const { id = '', event, data = '' } = fields
  return event === undefined ? undefined : { id, event, data: data === '' ? {} : JSON.parse(data) }
}
