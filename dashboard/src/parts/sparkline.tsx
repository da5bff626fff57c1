const WIDTH = 90
const HEIGHT = 24

/** Counts as a small curve. Nothing if all are zero. */
export function Sparkline({ counts, what }: { counts: readonly number[]; what: string }) {
  const most = Math.max(...counts)
  if (most === 0) return null
  const points = counts.map((count, i) => {
    const x = (i / (counts.length - 1)) * (WIDTH - 2) + 1
    const y = HEIGHT - 2 - (count / most) * (HEIGHT - 4)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={`${what}, ${counts.length} minutes: at most ${most}, now ${counts.at(-1) ?? 0}`}
    >
      <polyline points={points.join(' ')} />
    </svg>
  )
}
