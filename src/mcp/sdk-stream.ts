import { escapeLineBreaks } from '../http/event-frames.js'
import type { EventStream } from '../http/event-stream.js'

/** Sends on what the SDK writes as an event stream, at the pace of the client, and ends with it. */
export async function carry(body: ReadableStream<Uint8Array>, stream: EventStream<'answered'>): Promise<void> {
  const text = new TextDecoder()
  const reader = body.getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    if (stream.ended) return reader.cancel()
    await stream.send(escapeLineBreaks(text.decode(read.value, { stream: true })))
  }
  stream.end('answered')
}
