import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export interface Line {
  name: string
  y: readonly number[]
}

const HEIGHT = 170
const COLOURS = ['--accent', '--danger']

/**
 * The end of what is shown is the last reading, or now, and a minute more: a point at the edge is hardly seen. (The
 * ends that uPlot would hand over are years apart where there is only one reading.)
 */
function lastHour({ data: [x] }: uPlot): [number, number] {
  const end = (x?.at(-1) ?? Date.now() / 1000) + 60
  return [end - 3600, end]
}

/** Lines over time. @param x seconds since 1970 */
export function Chart({ title, x, lines }: { title: string; x: readonly number[]; lines: readonly Line[] }) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const names = lines.map(({ name }) => name).join()
  useEffect(() => {
    const element = place.current as HTMLDivElement
    const colour = (name: string) => getComputedStyle(element).getPropertyValue(name)
    const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line') }, ticks: { stroke: colour('--line') } }
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { live: false },
        cursor: { show: false },
        scales: { x: { range: lastHour }, y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
        axes: [axis, axis],
        series: [
          {},
          ...names.split(',').map((label, i) => ({ label, stroke: colour(COLOURS[i] ?? '--good'), width: 2 }))
        ]
      },
      [[], ...names.split(',').map(() => [])],
      element
    )
    plot.current = made
    const sizes = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT })
    })
    sizes.observe(element)
    return () => {
      sizes.disconnect()
      made.destroy()
    }
  }, [names])
  useEffect(() => {
    plot.current?.setData([[...x], ...lines.map(({ y }) => [...y])])
  })
  const now = lines.map(({ name, y }) => `${name} ${(y.at(-1) ?? 0).toFixed(1)}`).join(', ')
  return (
    <figure class="chart">
      <figcaption>
        {title} <span class="hint">now: {x.length === 0 ? 'not known yet' : now}</span>
      </figcaption>
      <div ref={place} aria-hidden="true" />
    </figure>
  )
}
