/** Part of a LIKE pattern that matches only this text. */
export function likeLiteral(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

/** A LIKE pattern that matches whatever contains this text. */
export function likePattern(text: string): string {
  return `%${likeLiteral(text)}%`
}
