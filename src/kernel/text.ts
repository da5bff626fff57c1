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

/** Removes control characters other than \n \t \r, then trims. */
export function cleanText(text: string): string {
  return text.replace(CONTROL, '').trim()
}

export function hasControlCharacters(text: string): boolean {
  return /\p{Cc}/u.test(text)
}

/** Control characters, and characters that are not seen or turn text around. */
const UNSAFE_TO_PRINT = /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu

/** A line of text for a terminal, which may obey control characters. JSON stays JSON of the same value. */
export function printable(line: string): string {
  return line.replace(UNSAFE_TO_PRINT, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
