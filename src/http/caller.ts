import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { wireOf } from './load.js'
import { collectStatus } from './rate-limits.js'

/**
 * The credentials a request carries in its headers, as they are; the kernel judges them. @throws AppError where one is
 * there twice
 */
export function callerOf(request: FastifyRequest, front: Caller['front']): Caller {
  refuseRepeated(request.raw.rawHeaders)
  return {
    front,
    // Made when somebody asks: most calls are over before anybody could go away.
    get signal() {
      return wireOf(request)?.signal()
    },
    get releaseSlot() {
      return wireOf(request)?.releaseSlot
    },
    onRateLimit: request.rateLimitStatus === null ? undefined : collectStatus(request.rateLimitStatus),
    request_id: request.id,
    address: request.ip,
    credentials: {
      // An empty one is a bad one: it must not fall through to other credentials.
      authorization: header(request, 'authorization') ?? request.headers.authorization,
      api_key: header(request, 'x-api-key'),
      agent_id: header(request, 'x-agent-id'),
      agent_type: header(request, 'x-agent-type')
    }
  }
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

const ONCE = new Set(['authorization', 'x-api-key', 'x-agent-id', 'x-agent-type'])

/**
 * Of a header that says who calls and is sent twice, a proxy may go by the one and this server by the other, or by both
 * with a comma between.
 */
function refuseRepeated(raw: readonly string[]): void {
  let seen: string[] | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const given = raw[i] as string
    // The lengths of these names: most headers are passed over without a look at their letters.
    if (given.length < 9 || given.length > 13) continue
    const name = given.toLowerCase()
    if (!ONCE.has(name)) continue
    if (seen?.includes(name) === true) {
      throw new AppError('INVALID_INPUT', `The header ${name} was sent more than once.`, {
        context: { argument: name, given: 'the header twice', allowed: 'the header once' },
        suggestions: ['Send each header that says who is calling once; a proxy between may add its own']
      })
    }
    seen = [...(seen ?? []), name]
  }
}
