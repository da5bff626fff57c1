import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import type { TraceContext } from '../kernel/tracing.js'
import { wireOf } from './load.js'
import { collectStatus } from './rate-limits.js'

/**
 * The caller of a request, with the unchecked credentials of its headers; the kernel checks them.
 * @throws AppError INVALID_INPUT if such a header is sent twice
 */
export function callerOf(request: FastifyRequest, front: Caller['front']): Caller {
  refuseRepeatedHeaders(request.raw.rawHeaders)
  return {
    front,
    disconnected: () => wireOf(request)?.disconnected(),
    get releaseSlot() {
      return wireOf(request)?.releaseSlot
    },
    onRateLimit: request.rateLimitStatus === null ? undefined : collectStatus(request.rateLimitStatus),
    request_id: request.id,
    address: request.ip,
    trace: traceOf(request),
    credentials: {
      // An empty header is an invalid credential: other credentials must not replace it.
      authorization: header(request, 'authorization') ?? request.headers.authorization,
      api_key: header(request, 'x-api-key'),
      agent_id: header(request, 'x-agent-id'),
      agent_type: header(request, 'x-agent-type')
    }
  }
}

function traceOf({ headers: { traceparent, tracestate } }: FastifyRequest): TraceContext | undefined {
  if (typeof traceparent !== 'string') return undefined
  return { traceparent, ...(typeof tracestate === 'string' && { tracestate }) }
}

/** A header's text. Node reads header bytes as Latin-1; clients that send UTF-8 mean UTF-8. */
export function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  const text = Array.isArray(value) ? value[0] : value
  if (text === undefined || text === '') return undefined

  if (/^[\x00-\x7f]*$/.test(text)) return text
  const bytes = Buffer.from(text, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : text
}

const IDENTITY_HEADERS = new Set(['authorization', 'x-api-key', 'x-agent-id', 'x-agent-type'])

/**
 * Refuses identity headers that are sent twice: a proxy and this server could each use another one.
 */
function refuseRepeatedHeaders(raw: readonly string[]): void {
  let seen: string[] | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const rawName = raw[i] as string
    // The shortest and longest of these names: skip most headers without comparing text.
    if (rawName.length < 9 || rawName.length > 13) continue
    const name = rawName.toLowerCase()
    if (!IDENTITY_HEADERS.has(name)) continue
    if (seen?.includes(name) === true) {
      throw new AppError('INVALID_INPUT', `The header ${name} was sent more than once.`, {
        context: { argument: name, given: 'the header twice', allowed: 'the header once' },
        suggestions: ['Send each header that says who is calling once; a proxy between may add its own']
      })
    }
    seen = [...(seen ?? []), name]
  }
}
