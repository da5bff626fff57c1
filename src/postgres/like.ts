/** A text as a LIKE pattern part that matches just itself. */
export function likeLiteral(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

/** A LIKE pattern for "contains this text". */
export function likePattern(text: string): string {
  return `%${likeLiteral(text)}%`
}
