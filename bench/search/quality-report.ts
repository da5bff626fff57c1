import { cpus } from 'node:os'
import type { Searcher } from './baselines/searcher.js'
import { type Found, measure, type Measure } from './measure.js'
import type { Labelled } from './queries/label.js'
import { share, table } from './table.js'
import { THRESHOLD } from './ours.js'

export interface QualityRun {
  size: number
  half: string
  seed: string
  print: string
  server: string
  queries: Labelled[]
  /** By searcher, ours first; one that did not run has none. */
  answers: Map<Searcher, Map<Labelled, Found>>
}

/** Issue 3's: in a large session labels get ambiguous. */
const barsFor = (size: number) =>
  size <= 10_000 ? { recall: 0.98, mrr: 0.95, kind: 0.9 } : { recall: 0.92, mrr: 0.87, kind: undefined }
const EMPTY_BAR = 0.95

export function qualityReport(run: QualityRun): string {
  const [us] = [...run.answers.values()] as [Map<Labelled, Found>]
  const answered = run.queries.filter(query => query.needles.length > 0)
  const unanswered = run.queries.filter(query => query.needles.length === 0)
  const of = (found: Map<Labelled, Found>, queries: Labelled[]) =>
    measure(
      queries.flatMap(query => {
        const got = found.get(query)
        return got === undefined ? [] : [{ right: query.right, found: got }]
      })
    )
  const kinds = [...groups(answered, query => query.kind)]
  const all = of(us, answered)
  const none = of(us, unanswered)
  return [
    `${answered.length} queries of ${kinds.length} kinds with right answers, ${unanswered.length} without, threshold ${THRESHOLD}, print ${run.print}. ${run.server}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}.`,
    '### Ours, by kind',
    table(
      ['kind', 'queries', 'recall@10', 'MRR', 'false positives', 'right (median)'],
      [
        ...kinds.map(([kind, queries]) => [
          kind,
          ...row(of(us, queries)),
          String(median(queries.map(query => query.right.size)))
        ]),
        ['**all**', ...row(all), '']
      ]
    ),
    '### Ours, by kind of text',
    table(
      ['text', 'queries', 'recall@10', 'MRR', 'false positives'],
      [...groups(answered, query => query.about)].map(([about, queries]) => [about, ...row(of(us, queries))])
    ),
    '### Queries without a right answer',
    table(
      ['kind', 'queries', 'answered with nothing'],
      [
        ...[...groups(unanswered, query => query.kind)].map(([kind, queries]) => {
          const got = of(us, queries)
          return [kind, String(got.queries), share(got.empty)]
        }),
        ['**all**', String(none.queries), share(none.empty)]
      ]
    ),
    '### Beside others: recall@10 / MRR by kind',
    beside(run, kinds, of, answered, unanswered),
    '### Bars',
    bars(
      run.size,
      all,
      none,
      kinds.map(([kind, queries]) => [kind, of(us, queries)])
    )
  ].join('\n\n')
}

function row(got: Measure): string[] {
  return [String(got.queries), share(got.recall), share(got.mrr), share(got.falsePositives)]
}

function beside(
  run: QualityRun,
  kinds: Array<[string, Labelled[]]>,
  of: (found: Map<Labelled, Found>, queries: Labelled[]) => Measure,
  answered: Labelled[],
  unanswered: Labelled[]
): string {
  const ran = [...run.answers].filter(([, found]) => found.size > 0)
  const notes = [...run.answers].flatMap(([searcher, found]) =>
    found.size === 0
      ? [`${searcher.name} was not run: at this size it would take hours.`]
      : searcher.every(run.size) > 1
        ? [`${searcher.name} was asked every ${searcher.every(run.size)}th query only, for time.`]
        : []
  )
  const cells = (queries: Labelled[]) =>
    ran.map(([, found]) => {
      const got = of(found, queries)
      return got.queries === 0 ? '–' : `${share(got.recall)} / ${share(got.mrr)}`
    })
  return [
    table(
      ['kind', ...ran.map(([searcher]) => searcher.name)],
      [
        ...kinds.map(([kind, queries]) => [kind, ...cells(queries)]),
        ['**all**', ...cells(answered)],
        ['**false positives**', ...ran.map(([, found]) => share(of(found, answered).falsePositives))],
        ['**no-answer queries left empty**', ...ran.map(([, found]) => share(of(found, unanswered).empty))]
      ]
    ),
    ...notes
  ].join('\n\n')
}

function bars(size: number, all: Measure, none: Measure, kinds: Array<[string, Measure]>): string {
  const bar = barsFor(size)
  const weak = kinds.filter(([, got]) => got.recall < (bar.kind ?? 0)).map(([kind]) => kind)
  const verdict = (passed: boolean) => (passed ? 'pass' : '**FAIL**')
  return table(
    ['bar', 'asked', 'measured', 'verdict'],
    [
      ['recall@10', `≥ ${bar.recall}`, share(all.recall), verdict(all.recall >= bar.recall)],
      ['MRR', `≥ ${bar.mrr}`, share(all.mrr), verdict(all.mrr >= bar.mrr)],
      ...(bar.kind === undefined
        ? []
        : [
            [
              'recall@10 of every kind',
              `≥ ${bar.kind}`,
              weak.length === 0 ? 'all' : `below: ${weak.join(', ')}`,
              verdict(weak.length === 0)
            ]
          ]),
      ['no right answer: nothing returned', `≥ ${EMPTY_BAR}`, share(none.empty), verdict(none.empty >= EMPTY_BAR)]
    ]
  )
}

function groups(queries: Labelled[], by: (query: Labelled) => string): Map<string, Labelled[]> {
  const grouped = new Map<string, Labelled[]>()
  for (const query of queries) grouped.set(by(query), [...(grouped.get(by(query)) ?? []), query])
  return grouped
}

function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
