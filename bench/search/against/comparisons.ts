import type { Corpus } from '../corpus.js'
import { random } from '../corpus/random.js'
import { FUNCTION_WORDS } from '../corpus/words.js'
import { ms } from '../table.js'
import type { Session } from '../speed/layout.js'
import { questions, rareWords } from '../speed/questions.js'
import { percentile } from '../speed/run.js'
import type { FullText } from './full-text.js'
import { AT_ONCE, type Side } from './side.js'

export interface Comparing {
  corpus: Corpus
  sessions: Session[]
  ours: Side
  old: Side | undefined
  text: FullText
  rounds: number
  /** How long a round may take. */
  ms: number
  only: string[] | undefined
  say: (text: string) => void
}

/** At least or at most so much is asked of a ratio. */
interface Bar {
  least?: number
  most?: number
}

const LARGE = 100_000

/** A line for each measure, in the columns of the report. */
export async function comparisons(of: Comparing): Promise<string[][]> {
  const { corpus, sessions, ours, old, text, only, say } = of
  const lines: string[][] = []
  const measured = async (name: string, work: () => Promise<string[][]>) => {
    if (only !== undefined && !only.some(part => name.includes(part))) return
    say(`${name} …`)
    const found = await work()
    for (const line of found) say(`  ${line.join(' | ')}`)
    lines.push(...found)
  }
  for (const session of sessions) {
    const where = `session of ${session.size}`
    const large = session.size >= LARGE
    if (old !== undefined) {
      const asked = questions(corpus, session).map(({ text }) => text)
      await measured(`one at a time, ${where}`, () =>
        oneAtATime(of, `all kinds, one at a time, ${where}: old ÷ new`, asked, {
          ours: query => ours.ask(session.id, query),
          other: query => old.ask(session.id, query),
          bars: large ? { p95: { least: 1.6 } } : { p50: { least: 3 }, p95: { least: 2 } },
          inverse: true
        })
      )
      await measured(`eight at a time, ${where}`, async () => [
        await eightAtATime(of, `searches a second, ${AT_ONCE} at a time, ${where}: new ÷ old`, asked, session.id, old, {
          least: large ? 1.6 : 3.3
        })
      ])
    }
    const sentences = phrases(corpus, session, 5, 3)
    await measured(`sentences, ${where}`, () =>
      oneAtATime(of, `sentences of eight words, ${where}: ÷ full text by OR`, sentences, {
        ours: query => ours.ask(session.id, query),
        other: query => text(session.id, query.split(' '), 'or'),
        bars: { p50: { most: large ? 0.06 : 0.15 } }
      })
    )
    const pairs = phrases(corpus, session, 2, 0)
    await measured(`two words, ${where}`, () =>
      oneAtATime(of, `two words, ${where}: ÷ full text by AND`, pairs, {
        ours: query => ours.ask(session.id, query),
        other: query => text(session.id, query.split(' '), 'and'),
        bars: large ? {} : { p50: { most: 2 } }
      })
    )
  }
  if (old !== undefined) {
    const rare = rareWords(corpus, sessions).map(({ text }) => text)
    await measured('rare words', () =>
      oneAtATime(of, 'a rare word in all sessions: old ÷ new', rare, {
        ours: query => ours.ask(undefined, query),
        other: query => old.ask(undefined, query),
        bars: { p95: { least: 1.6 } },
        inverse: true
      })
    )
  }
  return lines
}

interface Compared {
  ours: (query: string) => Promise<unknown>
  other: (query: string) => Promise<unknown>
  bars: { p50?: Bar; p95?: Bar }
  /** Whether the ratio is the other's time by ours. */
  inverse?: boolean
}

/** Each query is asked of both, one after the other; each goes first as often as the other. */
async function oneAtATime(
  { rounds, ms: budget }: Comparing,
  name: string,
  asked: string[],
  { ours, other, bars, inverse = false }: Compared
): Promise<string[][]> {
  const ratios = { p50: [] as number[], p95: [] as number[] }
  const times = { ours: [] as Timed[], other: [] as Timed[] }
  for (let round = -1; round < rounds; round++) {
    const here = { ours: [] as Timed[], other: [] as Timed[] }
    const end = performance.now() + budget
    let n = 0
    // Not fewer than a dozen, so that there is something to order.
    for (; n < asked.length && (n < 12 || performance.now() < end); n++) {
      const query = asked[n] as string
      const sides = [['ours', ours] as const, ['other', other] as const]
      for (const [side, find] of (n + round) % 2 === 0 ? sides : sides.reverse())
        here[side].push(await timed(find, query))
    }
    // The first warms up.
    if (round === -1) continue
    for (const [key, of] of [['p50', 0.5] as const, ['p95', 0.95] as const]) {
      const ratio = (percentile(here.ours, of) as number) / (percentile(here.other, of) as number)
      ratios[key].push(inverse ? 1 / ratio : ratio)
    }
    times.ours.push(...here.ours)
    times.other.push(...here.other)
  }
  return (['p50', 'p95'] as const).map(key => {
    const of = key === 'p50' ? 0.5 : 0.95
    return line(
      `${name}, ${key}`,
      String(times.ours.length),
      `${ms(percentile(times.ours, of))} ms`,
      `${ms(percentile(times.other, of))} ms`,
      ratios[key],
      bars[key]
    )
  })
}

async function eightAtATime(
  { ours, rounds, ms: budget, say }: Comparing,
  name: string,
  asked: string[],
  session_id: string,
  old: Side,
  bar: Bar
): Promise<string[]> {
  const rates = { ours: [] as number[], old: [] as number[] }
  let count = 0
  for (let round = -1; round < rounds; round++) {
    const sides = [['ours', ours] as const, ['old', old] as const]
    for (const [key, side] of round % 2 === 0 ? sides : sides.reverse()) {
      const begun = performance.now()
      let next = 0
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          while (performance.now() - begun < budget)
            await side
              .ask(session_id, asked[next++ % asked.length] as string)
              .catch((error: unknown) => say(String(error)))
        })
      )
      if (round === -1) continue
      rates[key].push((1000 * next) / (performance.now() - begun))
      count += next
    }
  }
  const ratios = rates.ours.map((rate, i) => rate / (rates.old[i] as number))
  return line(name, String(count), `${ms(median(rates.ours))}/s`, `${ms(median(rates.old))}/s`, ratios, bar)
}

function line(name: string, asked: string, ours: string, other: string, ratios: number[], bar: Bar = {}): string[] {
  const ratio = median(ratios)
  const { least, most } = bar
  const passed = (least === undefined || ratio >= least) && (most === undefined || ratio <= most)
  const verdict = least === undefined && most === undefined ? '' : passed ? 'pass' : '**FAIL**'
  const shown = (value: number) => value.toFixed(value < 1 ? 3 : 2)
  return [
    name,
    asked,
    ours,
    other,
    `${shown(ratio)} (${shown(Math.min(...ratios))}–${shown(Math.max(...ratios))})`,
    least !== undefined ? `≥ ${least}` : most !== undefined ? `≤ ${most}` : '',
    verdict
  ]
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
}

interface Timed {
  ms: number
}

async function timed(find: (query: string) => Promise<unknown>, query: string): Promise<Timed> {
  const started = performance.now()
  await find(query)
  return { ms: performance.now() - started }
}

/** Words of messages, so many of one and so many of another, that are no function words. */
function phrases(corpus: Corpus, { name, size }: Session, of_one: number, of_other: number): string[] {
  const draw = random(`${corpus.words.seed}/phrases/${name}/${of_one}`)
  const stop = new Set(FUNCTION_WORDS)
  const wordsOf = (count: number): string[] => {
    for (;;) {
      const { content } = corpus.message(name, draw.int(1, size))
      const words = [...new Set(content.toLowerCase().match(/(?<![\p{L}\p{N}_.-])[a-z]{4,12}(?![\p{L}\p{N}_.-])/gu))]
      const telling = words.filter(word => !stop.has(word))
      if (telling.length >= count) return draw.shuffle(telling).slice(0, count)
    }
  }
  return Array.from({ length: 60 }, () => [...wordsOf(of_one), ...(of_other > 0 ? wordsOf(of_other) : [])].join(' '))
}
