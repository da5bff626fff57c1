/**
 * LangGraph's names as names of the service's memory, and back. The service separates the parts of a namespace by `/`,
 * composes accents, and takes nothing that is not seen; what it would change or refuse is written as `%` and its bytes.
 */

/** What the service takes as it is: what is seen, composed, and no sign with a meaning of its own. */
const SAFE = /[^\p{L}\p{N}\p{P}\p{S} ]|[%/]|^ | $/gu
const ASCII = /[^\x21-\x24\x26-\x2e\x30-\x7e]/gu
/** The longest part of a namespace, in characters. */
const PART_MAX = 100
/** Stands for the empty text: `%` alone is no byte. */
const EMPTY = '%'

/** A text as a part of a namespace or of a key. */
export function encoded(text: string): string {
  if (text === '') return EMPTY
  return text.replace(text === text.normalize('NFC') ? SAFE : ASCII, character =>
    // encodeURIComponent leaves some ASCII as it is, which is safe, but for what must be told apart.
    Array.from(new TextEncoder().encode(character), byte => `%${byte.toString(16).padStart(2, '0')}`).join('')
  )
}

export function decoded(part: string): string {
  return part === EMPTY ? '' : decodeURIComponent(part)
}

/** A part of at most 100 characters: a longer one is its SHA-256, which cannot be turned back. */
export async function shortened(text: string): Promise<string> {
  const part = encoded(text)
  if ([...part].length <= PART_MAX) return part
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return `${EMPTY}${Array.from(new Uint8Array(hash), byte => byte.toString(16).padStart(2, '0')).join('')}`
}

/**
 * A text by which keys are in the opposite order of their texts: the service lists keys in ascending order, and the
 * newest checkpoint, whose id is the largest, is asked for most.
 */
export function inverted(text: string): string {
  const bytes = Array.from(new TextEncoder().encode(text), byte => (255 - byte).toString(16).padStart(2, '0'))
  // Behind every digit, so that of two ids of which one begins with the other, the longer one comes first.
  return `${bytes.join('')}g`
}
