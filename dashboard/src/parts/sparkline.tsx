const WIDTH = 90
const HEIGHT = 24

/** Counts as a small curve, of which the first ones may not be known. Nothing if all are zero. */
export function Sparkline({
  counts,
  what,
  unit = 'minutes'
}: {
  counts: ReadonlyArray<number | undefined>
  what: string
  unit?: 'minutes' | 'hours'
}) {
  const known = counts.filter(count => count !== undefined)
  const most = Math.max(...known)
  if (most === 0) return null
  const points = counts.flatMap((count, i) => {
    if (count === undefined) return []
    const x = (i / (counts.length - 1)) * (WIDTH - 2) + 1
    const y = HEIGHT - 2 - (count / most) * (HEIGHT - 4)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  const label =
    `${what}, the last ${known.length === 1 ? unit.slice(0, -1) : `${known.length} ${unit}`}: ` +
    `at most ${most}, now ${counts.at(-1) ?? 0}` +
    (known.length < counts.length ? '; there were too many before that to count them' : '')
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <polyline points={points.join(' ')} />
    </svg>
  )
}
