/** NUL, and halves of surrogate pairs: with `u` a pair is one character, and none of these. */
const REFUSED = /[\0\p{Surrogate}]/gu

/** A text as the service takes it, of at most so many characters. The service counts code points. */
export function fitting(text: string, max: number): string {
  // A character is at most two units. A pair that this cut splits is behind the last character that is kept.
  const start = text.slice(0, 2 * max).replace(REFUSED, '\uFFFD')
  return Array.from(start).slice(0, max).join('')
}

/** What something thrown says of itself. */
export function wordsOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    // An object without a prototype has no words, and some objects throw instead of saying any.
    return ''
  }
}
