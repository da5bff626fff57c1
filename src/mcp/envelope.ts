import { AppError } from '../kernel/errors.js'

/** Messages of a batch, of the 2025-03-26 revision; the SDK's bound. */
const BATCH_MAX = 100
/**
 * Values of a body beside the arguments of tools, which are checked by the tools: an ordinary message has about ten.
 */
const VALUES_MAX = 10_000

/**
 * The refusal of a body that would keep an SDK busy for long: it copies and checks what it reads, field by field, and
 * takes half a second for a hundred thousand fields. Undefined for an ordinary one.
 * @param bytes of the body, where they are known
 */
export function tooWide(body: unknown, bytes: number | undefined): AppError | undefined {
  const single = !Array.isArray(body)
  // A value takes two bytes at least, with its comma.
  if (single && bytes !== undefined && bytes <= 2 * VALUES_MAX) return undefined
  if (!single && body.length > BATCH_MAX) {
    return new AppError('INVALID_INPUT', `A batch holds at most ${BATCH_MAX} messages.`, {
      suggestions: ['Send several smaller batches']
    })
  }
  const left: unknown[] = (single ? [body] : (body as unknown[])).map(withoutArguments)
  for (let count = left.length; left.length > 0;) {
    const value = left.pop()
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
    for (const one of inner) if (typeof one === 'object') left.push(one)
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
