/** Part of a LIKE pattern that matches only this text. */
export function likeLiteral(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

/** A LIKE pattern that matches whatever contains this text. */
export function likePattern(text: string): string {
  return `%${likeLiteral(text)}%`
}

/**
 * The first text that is greater than all that begin with this one, where texts are compared as their code points are
 * (collation "C"). Undefined: no text is greater than all of them.
 */
export function textBehind(prefix: string): string | undefined {
  const points = Array.from(prefix, character => character.codePointAt(0) as number)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  // Surrogates are no characters.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}
