import { cpus } from 'node:os'
import { ms, table } from '../table.js'
import { percentile, type Timing } from './run.js'
import type { Ratio } from './word-similarity.js'

/** One measured stretch: a session (or all), so many at a time, with or without writes beside. */
export interface Cell {
  where: string
  concurrency: number
  seconds: number
  timings: Timing[]
  writes?: { perSecond: number; failed: number; skipped: number }
}

export interface SpeedRun {
  total: number
  complete: boolean
  seed: string
  server: string
  loadSeconds: number
  prepareSeconds: number
  cells: Cell[]
  ratios: Ratio[]
  planted: Array<{ query: string; found: boolean; ms: number }>
}

export function speedReport(run: SpeedRun): string {
  const quiet = run.cells.filter(cell => cell.writes === undefined)
  const mixed = run.cells.filter(cell => cell.writes !== undefined)
  return [
    `${run.total} messages, seed ${run.seed}, loaded in ${run.loadSeconds.toFixed(0)} s, prepared for search in ${run.prepareSeconds.toFixed(0)} s. ${run.server}, client on the same ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}. Milliseconds.`,
    '### All kinds together',
    table(['where', 'at a time', 'searches', 'per second', 'p50', 'p95', 'failed'], quiet.map(summary)),
    `### With ${WRITES} messages a second written meanwhile`,
    table(
      [
        'where',
        'at a time',
        'searches',
        'per second',
        'p50',
        'p95',
        'failed',
        'written per second',
        'writes failed or left out'
      ],
      mixed.map(cell => [
        ...summary(cell),
        ms(cell.writes?.perSecond),
        String((cell.writes?.failed ?? 0) + (cell.writes?.skipped ?? 0))
      ])
    ),
    ...[1, 8].flatMap(concurrency => [
      `### p50 / p95 by kind, ${concurrency} at a time`,
      byKind(quiet.filter(cell => cell.concurrency === concurrency && cell.where !== ALL_RARE))
    ]),
    `### p50 / p95 by kind, with ${WRITES} messages a second written meanwhile`,
    byKind(mixed),
    '### Beside word_similarity over the whole session',
    table(
      ['messages', 'query', 'word_similarity', 'ours', 'ratio'],
      run.ratios.map(ratio => [
        String(ratio.session.size),
        ratio.query.replaceAll('|', '\\|'),
        ms(ratio.word_similarity_ms),
        ms(ratio.ours_ms),
        `${(ratio.word_similarity_ms / ratio.ours_ms).toFixed(1)} ×`
      ])
    ),
    '### Bars',
    bars(run, quiet)
  ].join('\n\n')
}

export const WRITES = 500

function summary(cell: Cell): string[] {
  return [
    cell.where,
    String(cell.concurrency),
    String(cell.timings.length),
    (cell.timings.length / cell.seconds).toFixed(1),
    ms(percentile(cell.timings, 0.5)),
    ms(percentile(cell.timings, 0.95)),
    String(cell.timings.filter(timing => timing.failed).length)
  ]
}

function byKind(cells: Cell[]): string {
  const kinds = [...new Set(cells.flatMap(cell => cell.timings.map(timing => timing.kind)))].sort()
  return table(
    [
      'kind',
      ...cells.map(
        cell => `${cell.where}${new Set(cells.map(c => c.concurrency)).size > 1 ? ` × ${cell.concurrency}` : ''}`
      )
    ],
    kinds.map(kind => [
      kind,
      ...cells.map(cell => {
        const timings = cell.timings.filter(timing => timing.kind === kind)
        return `${ms(percentile(timings, 0.5))} / ${ms(percentile(timings, 0.95))}`
      })
    ])
  )
}

function bars(run: SpeedRun, quiet: Cell[]): string {
  const single = (where: string) => quiet.find(cell => cell.where === where && cell.concurrency === 1)?.timings ?? []
  const verdict = (passed: boolean) => (passed ? 'pass' : '**FAIL**')
  const below = (name: string, timings: Timing[], bar: number) => {
    const got = percentile(timings, 0.95)
    return [
      name,
      `≤ ${bar} ms`,
      got === undefined ? 'not measured' : `${ms(got)} ms`,
      verdict(got !== undefined && got <= bar)
    ]
  }
  const growth = (of: number) => {
    const [small, large] = [percentile(single(SMALL), of), percentile(single(LARGEST), of)]
    const factor = small === undefined || large === undefined ? undefined : large / small
    return [
      `growth of p${of * 100} from ${SMALL} to ${LARGEST}`,
      '< 4 ×',
      factor === undefined ? 'not measured' : `${factor.toFixed(2)} ×`,
      verdict(factor !== undefined && factor < 4)
    ]
  }
  const rows = [
    below(`p95 in ${SMALL}, one at a time`, single(SMALL), 40),
    below(`p95 in ${LARGE}, one at a time`, single(LARGE), 80),
    below(`p95 of ${ALL_RARE}, one at a time`, single(ALL_RARE), 150),
    growth(0.5),
    growth(0.95),
    ...run.planted.map(({ query, found, ms: took }) => [
      `oldest message of ${LARGEST} found by "${query}"`,
      'found',
      `${found ? 'found' : 'missing'} in ${ms(took)} ms`,
      verdict(found)
    ])
  ]
  return `${run.complete ? '' : `These bars are meant for a million messages; with ${run.total} the sessions are smaller than their names.\n\n`}${table(['bar', 'asked', 'measured', 'verdict'], rows)}`
}

export const SMALLEST = 'the 1k session'
export const SMALL = 'the 10k session'
export const LARGE = 'the 100k session'
export const LARGEST = 'the 300k session'
export const ALL = 'all sessions'
export const ALL_RARE = 'a rare word across all sessions'
