import type { FastifyReply } from 'fastify'
import { stringify } from '../kernel/json-text.js'
import { escapeLineBreaks, eventFrame } from '../http/event-frames.js'
import { EventStream } from '../http/event-stream.js'
import { acceptsJson } from './messages.js'

/** A JSON-RPC message, or several, as one line of JSON. */
export function lineOf(message: unknown): string {
  return escapeLineBreaks(stringify(message))
}

/** Sends an answer, or those of a batch: as JSON, or as events to a client that takes nothing else. */
export function sendAnswer(reply: FastifyReply, answer: unknown): FastifyReply {
  if (acceptsJson(reply.request)) return reply.type('application/json; charset=utf-8').send(lineOf(answer))
  const answers: unknown[] = Array.isArray(answer) ? answer : [answer]
  return reply
    .type('text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store, no-transform')
    .send(answers.map(one => eventFrame('message', one)).join(''))
}

/** Sends what an SDK has answered. */
export async function sendResponse(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  // The SDK lets caches keep event streams; the server does not.
  const { 'cache-control': _, ...headers } = Object.fromEntries(response.headers)
  const { status, body } = response
  void reply.code(status).headers(headers)
  if (body === null) return reply.send()
  if (headers['content-type']?.startsWith('text/event-stream') === true) {
    void carry(body, new EventStream(reply))
    return reply
  }
  const text = await response.text()
  if (status === 200 && !acceptsJson(reply.request)) return sendAnswer(reply, JSON.parse(text))
  return reply.send(escapeLineBreaks(text))
}

/** Ends a stream with an answer, or without one. The client has as long for reading it as for anything. */
export async function endWith(stream: EventStream<'answered'>, answer: unknown): Promise<void> {
  if (answer !== undefined) await stream.send(eventFrame('message', answer))
  stream.end('answered')
}

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
