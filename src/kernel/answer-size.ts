/** How large an answer may be: a list stops before it has more, and says so (docs/semantics.md, Limits). */

/** Bytes of an answer as JSON: 8 MiB. */
const ANSWER_MAX = 8 * 1024 * 1024
/** Bytes that the items of an answer may have together. The rest is for what stands beside them. */
export const ITEMS_MAX = ANSWER_MAX - 64 * 1024

/**
 * How many items, from the first one on, an answer has room for; at least one if there are any.
 * @param sizeOf bytes of an item in the answer, about
 */
export function fitting<T>(items: readonly T[], sizeOf: (item: T) => number = sizeAsJson): number {
  let bytes = 0
  const first = items.findIndex(item => (bytes += sizeOf(item)) > ITEMS_MAX)
  return first === -1 ? items.length : Math.max(1, first)
}

function sizeAsJson(item: unknown): number {
  return Buffer.byteLength(JSON.stringify(item)) + 1
}
