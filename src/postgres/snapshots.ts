/**
 * PostgreSQL's snapshots (pg_snapshot) in cursors. A snapshot says of every transaction whether it had committed when
 * the snapshot was taken.
 */

/** 2^63, beyond any transaction. */
const LIMIT = 2n ** 63n
/** A server has no more connections than that, so that no snapshot lists more that are open. */
const OPEN_MAX = 10_000

/** `1000:1004:1000,1002` → lowest, how far the highest is from it, and so each one that is open; in base 36. */
export function encodeSnapshot(snapshot: string): string {
  const [lowest = '', highest = '', open = ''] = snapshot.split(':')
  const from = BigInt(lowest)
  const distances = [highest, ...(open === '' ? [] : open.split(','))].map(number =>
    (BigInt(number) - from).toString(36)
  )
  return [from.toString(36), ...distances].join('-')
}

/** Anybody can make up such a text: only what PostgreSQL takes for a snapshot goes on to it. */
export function decodeSnapshot(text: string): string | undefined {
  if (!/^[0-9a-z]{1,13}(-[0-9a-z]{1,13})+$/.test(text)) return undefined
  const [from = 0n, ...distances] = text.split('-').map(base36)
  const [span = 0n, ...open] = distances
  if (from === 0n || from + span >= LIMIT || open.length > OPEN_MAX) return undefined
  if (open.some((distance, i) => distance >= span || (i > 0 && distance <= (open[i - 1] as bigint)))) return undefined
  return `${from}:${from + span}:${open.map(distance => from + distance).join(',')}`
}

function base36(text: string): bigint {
  return [...text].reduce((sum, digit) => sum * 36n + BigInt(parseInt(digit, 36)), 0n)
}
