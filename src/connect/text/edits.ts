/** A change of a text: `length` characters at `offset` give way to `text`. */
export interface Edit {
  offset: number
  length: number
  text: string
}

/** Applies edits, whose offsets are those of the text before all of them. They must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let changed = text
  for (const { offset, length, text: inserted } of ascending(edits).reverse())
    changed = changed.slice(0, offset) + inserted + changed.slice(offset + length)
  return changed
}

/** Where the texts that edits insert stand after all of them, ascending. */
export function insertedRanges(edits: readonly Edit[]): Array<[offset: number, length: number]> {
  let shift = 0
  return ascending(edits).map(({ offset, length, text }) => {
    const range: [number, number] = [offset + shift, text.length]
    shift += text.length - length
    return range
  })
}

export function ascending(edits: readonly Edit[]): Edit[] {
  return [...edits].sort((a, b) => a.offset - b.offset)
}

/** How lines end in a text; a text of one line gets what this program writes into new files. */
export function lineEnd(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

/** The white space that the line of an offset begins with, at most up to the offset. */
export function indentAt(text: string, offset: number): string {
  const start = lineStart(text, offset)
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? ''
}

export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** Where the line of an offset ends: at its line break, or at the end of the text. */
export function lineStop(text: string, offset: number): number {
  const found = /\r?\n/.exec(text.slice(offset))
  return found === null ? text.length : offset + found.index
}
