/**
 * Characters that nobody sees, but that move, hide or turn what stands around them, or that hide a text from people
 * and not from models: controls, marks of direction, fillers, tags, and the choosers of variants that no emoji uses.
 * Line breaks, tabs, and the joiners that scripts and emoji need are not among them.
 */
const UNSEEN = new RegExp(
  '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5' +
    '\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0d\\ufeff\\uffa0\\ufff9-\\ufffb' +
    '\\u{e0000}-\\u{e0fff}]|\\r(?!\\n)',
  'gu'
)

/** A text in which unseen characters are named, so that it is read as it is. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, found => `[U+${found.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`)
}

/** The beginning of a text, on one line. */
export function shortText(text: string, length: number): string {
  const line = visibleText(
    text
      .slice(0, length * 2)
      .replace(/\s+/g, ' ')
      .trim()
  )
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}

/** A hue of 0 to 359 for a name: the same name always has the same. (FNV-1a, 32 bits.) */
export function hueOf(name: string): number {
  let hash = 0x811c9dc5
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193)
  return (hash >>> 0) % 360
}

export function bytes(count: number): string {
  if (count >= 2 ** 30) return `${(count / 2 ** 30).toFixed(1)} GiB`
  return count >= 2 ** 20 ? `${Math.round(count / 2 ** 20)} MiB` : `${Math.ceil(count / 2 ** 10)} KiB`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`
}
