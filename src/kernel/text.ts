/** How many characters a text has: Unicode code points, as everywhere in the contract. */
export function characters(text: string): number {
  // Fast for the usual case: only surrogate pairs make the two counts differ.
  let count = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0xd800 && unit <= 0xdbff) {
      count--
      i++
    }
  }
  return count
}

// C0 and C1 controls and DEL, but for tab, line feed and carriage return.
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/g

/**
 * `purpose` and `content` as they are kept: control characters other than \n \t \r removed, then trimmed
 * (docs/semantics.md, Limits).
 */
export function cleanText(text: string): string {
  return text.replace(CONTROL, '').trim()
}

export function hasControlCharacters(text: string): boolean {
  return /\p{Cc}/u.test(text)
}
