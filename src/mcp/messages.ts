import { CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server'
import type { FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { AppError } from '../kernel/errors.js'

/** As much of a JSON-RPC message as this front looks at before an SDK does. */
export interface Message {
  method?: string
  id?: string | number
  params?: Record<string, unknown>
  /** Of an answer to a question of this server. */
  result?: unknown
}

/** The method by which 2026-07-28 clients subscribe. */
export const LISTEN = 'subscriptions/listen'

export const SESSION_HEADER = 'mcp-session-id'

/** The Mcp-Session-Id of a request; undefined if there is none. */
export function sessionIdOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  const id = request.headers[SESSION_HEADER]
  return typeof id === 'string' && id !== '' ? id : undefined
}

const JSON_TYPE = 'application/json'
const EVENTS = 'text/event-stream'

/** Whether the client asks for an event stream if there is one. One that takes anything does not. */
export function acceptsEvents(request: FastifyRequest): boolean {
  return (
    /text\/(event-stream|\*)/i.test(request.headers.accept ?? '') &&
    new Negotiator(request).mediaTypes([EVENTS]).length > 0
  )
}

/** Whether the client gets JSON: it does not ask for event streams alone. */
export function acceptsJson(request: FastifyRequest): boolean {
  if (request.headers.accept === undefined) return true
  const accepted = new Negotiator(request).mediaTypes([JSON_TYPE, EVENTS])
  return accepted.length !== 1 || accepted[0] !== EVENTS
}

/** The name of the tool that a message calls; undefined if it calls none. */
export function calledTool({ method, id, params }: Message): string | undefined {
  return id !== undefined && method === 'tools/call' && typeof params?.name === 'string' ? params.name : undefined
}

/** clientInfo.name, as a 2026-07-28 request states it. */
export function clientNameOf(message: unknown): string | undefined {
  const meta = (message as Message | null)?.params?._meta as Record<string, unknown> | undefined
  const info = meta?.[CLIENT_INFO_META_KEY] as { name?: unknown } | undefined
  return typeof info?.name === 'string' ? info.name : undefined
}

type ProgressToken = string | number

/** How the client names a call whose progress it wants to be told; undefined if it does not ask. */
export function progressTokenOf({ method, params }: Message): ProgressToken | undefined {
  const token = (params?._meta as { progressToken?: unknown } | null | undefined)?.progressToken
  return method === 'tools/call' && (typeof token === 'string' || typeof token === 'number') ? token : undefined
}

/** The notification that a call has waited for some of its seconds. */
export function progressOf(progressToken: ProgressToken, elapsed: number, total: number) {
  return {
    jsonrpc: '2.0' as const,
    method: 'notifications/progress' as const,
    params: {
      progressToken,
      progress: elapsed,
      total,
      message: `Waiting: ${Math.round(elapsed)} of ${Math.round(total)} s`
    }
  }
}

/** Messages of a batch, of the 2025-03-26 revision; the SDK's bound. */
const BATCH_MAX = 100
/** Most JSON values of a body outside tool arguments, which the tools check themselves. A usual message has ten. */
const VALUES_MAX = 10_000

/**
 * Returns an error for a body with so many values that it would block an SDK, which needs half a second to check a
 * hundred thousand fields; undefined for an ordinary body.
 */
export function refuseTooManyValues({ body, headers }: FastifyRequest): AppError | undefined {
  const single = !Array.isArray(body)
  // A value takes two bytes at least, with its comma. A body in chunks does not say its length.
  if (single && Number(headers['content-length'] ?? Infinity) <= 2 * VALUES_MAX) return undefined
  if (!single && body.length > BATCH_MAX) {
    return new AppError('INVALID_INPUT', `A batch holds at most ${BATCH_MAX} messages.`, {
      suggestions: ['Send several smaller batches']
    })
  }
  const queue: unknown[] = (single ? [body] : (body as unknown[])).map(withoutArguments)
  for (let count = queue.length; queue.length > 0;) {
    const value = queue.pop()
    if (typeof value !== 'object' || value === null) continue
    const inner: unknown[] = Array.isArray(value) ? value : Object.values(value)
    count += inner.length
    if (count > VALUES_MAX) {
      return new AppError(
        'INVALID_INPUT',
        `The JSON-RPC messages hold more than ${VALUES_MAX} values beside the arguments of tools.`,
        { context: { argument: 'params', given: 'more values', allowed: `at most ${VALUES_MAX} values` } }
      )
    }
    for (const child of inner) if (typeof child === 'object') queue.push(child)
  }
  return undefined
}

/** A tool's call without its arguments; any other message as it is. */
function withoutArguments(message: unknown): unknown {
  const { method, params } = Object(message) as { method?: unknown; params?: unknown }
  if (method !== 'tools/call' || typeof params !== 'object' || params === null) return message
  const { arguments: _, ...others } = params as Record<string, unknown>
  return { ...(message as object), params: others }
}
