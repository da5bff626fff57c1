/**
 * Levenshtein distance with swaps of neighbours as one edit (optimal string alignment), as far as `most`.
 * @returns most + 1 for anything farther: looking on would cost time for nothing
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let beforeLast: number[] = []
  let last: number[] = []
  for (let j = 0; j <= b.length; j++) last.push(j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    const from = a.charCodeAt(i - 1)
    for (let j = 1; j <= b.length; j++) {
      const to = b.charCodeAt(j - 1)
      let cost = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + (from === to ? 0 : 1)
      )
      if (i > 1 && j > 1 && from === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === to)
        cost = Math.min(cost, (beforeLast[j - 2] as number) + 1)
      row.push(cost)
      if (cost < least) least = cost
    }
    // A swap reaches back two rows, so that both must be beyond.
    if (least > most && Math.min(...last) > most) return most + 1
    beforeLast = last
    last = row
  }
  return Math.min(last[b.length] as number, most + 1)
}

/**
 * The known word that a mistyped one probably means: at most two edits away, of a long one three, or one of them begins
 * with the other.
 */
export function nearest(given: string, known: Iterable<string>): string | undefined {
  const text = given.toLowerCase()
  const most = text.length < 6 ? 2 : 3
  let found: string | undefined
  let least = most + 1
  for (const word of known) {
    const other = word.toLowerCase()
    const begins = text.length >= 3 && (other.startsWith(text) || text.startsWith(other)) && other !== ''
    const distance = Math.min(editDistance(text, other, most), begins ? 2 : least)
    if (distance < least && distance < Math.max(text.length, other.length)) {
      found = word
      least = distance
    }
  }
  return found
}
