/**
 * Search beside what it is measured against, in one run: `npm run bench:search-against -- --old <folder>`. The folder
 * is a checkout of an older commit, with its node_modules; without it only PostgreSQL's full text is measured against.
 * Prints ratios, and writes them to against.md.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { comparisons } from './against/comparisons.js'
import { fullText } from './against/full-text.js'
import { openSide, OURS } from './against/side.js'
import { createCorpus, DEFAULT_SEED } from './corpus.js'
import { sessionId } from './load.js'
import { writeSection } from './report-file.js'
import { spread } from './speed/layout.js'
import { table } from './table.js'

const { values: flags } = parseArgs({
  options: {
    old: { type: 'string' },
    sizes: { type: 'string', default: '10000,100000' },
    rounds: { type: 'string', default: '5' },
    /** How long each round of a comparison may take. */
    seconds: { type: 'string', default: '5' },
    only: { type: 'string' },
    seed: { type: 'string', default: DEFAULT_SEED }
  }
})
const sizes = flags.sizes.split(',').map(Number)
const [rounds, seconds] = [Number(flags.rounds), Number(flags.seconds)]
if (!sizes.every(size => Number.isInteger(size) && size >= 100)) throw new Error('--sizes are numbers of messages.')
if (!(rounds >= 1 && seconds > 0)) throw new Error('--rounds and --seconds are more than 0.')

const say = (text: string) => {
  console.error(text)
}
const corpus = createCorpus(flags.seed, 'held-out')
const sessions = sizes.map((size, i) => ({ name: `named-${i}`, id: sessionId(i + 1), size }))
const rows = () => spread(corpus, sessions)

const sides = []
try {
  say(`Preparing ${sizes.reduce((a, b) => a + b)} messages …`)
  const ours = await openSide(OURS, rows())
  sides.push(ours)
  if (flags.old !== undefined) {
    say('The same for the older commit …')
    sides.push(await openSide(flags.old, rows()))
  }
  const [, old] = sides
  say('Full text …')
  const text = await fullText(ours)
  const lines = await comparisons({
    corpus,
    sessions,
    ours,
    old,
    text,
    rounds,
    ms: seconds * 1000,
    only: flags.only?.split(','),
    say
  })
  const report = [
    `${ours.described}. Both sides in one process, in turns; ratios: median (least–most) of ${rounds} rounds of at most ${seconds} s. Milliseconds for orientation.`,
    table(['measure', 'asked', 'ours', 'other', 'ratio', 'bar', 'verdict'], lines)
  ].join('\n\n')
  console.log(report)
  if (flags.only === undefined)
    await writeSection(join(import.meta.dirname, 'against.md'), `Sessions of ${sizes.join(', ')}`, report)
} finally {
  for (const side of sides) await side.stop()
}
