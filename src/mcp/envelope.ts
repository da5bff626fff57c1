import { AppError } from '../kernel/errors.js'

/** Messages of a batch, of the 2025-03-26 revision; the SDK's bound. */
const BATCH_MAX = 100
/**
 * Most JSON values of a body outside tool arguments, which the tools check themselves. An ordinary message has about
 * ten.
 */
const VALUES_MAX = 10_000

/**
 * Returns an error for a body with so many values that it would block an SDK, which needs half a second to check a
 * hundred thousand fields; undefined for an ordinary body.
 * @param bytes size of the body, if known
 */
export function refuseTooManyValues(body: unknown, bytes: number | undefined): AppError | undefined {
  const single = !Array.isArray(body)
  // A value takes two bytes at least, with its comma.
  if (single && bytes !== undefined && bytes <= 2 * VALUES_MAX) return undefined
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
        {
          context: { argument: 'params', given: 'more values', allowed: `at most ${VALUES_MAX} values` }
        }
      )
    }
    for (const child of inner) if (typeof child === 'object') queue.push(child)
  }
  return undefined
}

/** A message, or of a tool's call the message as it is without the arguments. */
function withoutArguments(message: unknown): unknown {
  const { method, params } = Object(message) as { method?: unknown; params?: unknown }
  if (method !== 'tools/call' || typeof params !== 'object' || params === null) return message
  const { arguments: _, ...others } = params as Record<string, unknown>
  return { ...(message as object), params: others }
}
