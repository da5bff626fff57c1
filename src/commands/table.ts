import { printable } from '../kernel/text.js'

/** Rows in columns for people, the names of the columns first. */
export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const all = [head, ...rows].map(row => row.map(printable))
  const widths = head.map((_, column) => Math.max(...all.map(row => [...(row[column] ?? '')].length)))
  return all
    .map(row =>
      row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

/** `1 message`, `2 messages`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
