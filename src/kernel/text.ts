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

/**
 * A text with its accents composed (NFC): é is one character, however it was typed. Names and keys that are new are
 * stored so.
 */
export function composed(text: string): string {
  // Nothing in Latin-1 changes, and nearly every name is ASCII.
  return /^[\u0000-\u00ff]*$/.test(text) ? text : text.normalize('NFC')
}

/** An emoji that is made of several, which an unseen joiner holds together. */
const EMOJI =
  /\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?(\u200d\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?)*/gu
/** What Unicode says is shown as nothing, line ends that are none of JSON, and marks of ruby texts. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\ufff9-\ufffb]/u

/**
 * Whether a text holds characters that nobody sees, or that turn text around: two names that differ only in these look
 * alike. Those within an emoji do not count.
 */
export function hasUnseenCharacters(text: string): boolean {
  return UNSEEN.test(text) && UNSEEN.test(text.replace(EMOJI, ''))
}

/** A text without such characters, in its emoji too if there are any elsewhere. */
export function withoutUnseen(text: string): string {
  return hasUnseenCharacters(text) ? text.replace(new RegExp(UNSEEN, 'gu'), '') : text
}

/** Control characters too; but the characters that say how emoji look stay. */
const UNSAFE_TO_PRINT = new RegExp(`(?![\\ufe00-\\ufe0f])(?:\\p{Cc}|${UNSEEN.source})`, 'gu')

/** A line of text for a terminal, which may obey control characters. JSON stays JSON of the same value. */
export function printable(line: string): string {
  return line.replace(UNSAFE_TO_PRINT, escaped)
}

function escaped(character: string): string {
  return character
    .split('')
    .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
