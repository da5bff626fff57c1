/** A Markdown table whose columns line up in a terminal too. */
export function table(head: string[], rows: string[][]): string {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map(row => (row[i] ?? '').length), 3))
  const line = (cells: string[]) =>
    `| ${widths.map((width, i) => (i === 0 ? (cells[i] ?? '').padEnd(width) : (cells[i] ?? '').padStart(width))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

export const share = (number: number) => number.toFixed(3)
export const ms = (number: number | undefined) =>
  number === undefined ? '–' : number >= 100 ? number.toFixed(0) : number.toFixed(1)
