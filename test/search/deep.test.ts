import t, { type Test } from 'tap'
import { newSession, ok, startApp, type As, type TestApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { administer } from '../support/database.js'
import { indexAll } from '../support/index-all.js'

/**
 * What only the index finds: messages with more than 500 newer ones after them, of which recent.ts looks at the newest.
 * So each way of candidates.ts and each step of index.ts runs here.
 */

const OTHER: As = { agent_id: 'other', agent_type: 'other' }

const LONG = 'filler words of no interest here '.repeat(300)
/** Each of another four letters. */
const WORDS = Array.from({ length: 20_000 }, (_, i) =>
  [1, 19, 361, 6859]
    .map(of => Math.floor(i / of) % 19)
    .map(at => 'bcdfghjkmnpqrstvwxz'.charAt(at))
    .join('')
)

const OLD = [
  { content: 'the quokka sleeps' },
  { content: 'the table is laid' },
  { content: 'written as utf8 with a sha256 beside it' },
  { content: `a ${'supercalifragilistic'.repeat(3)} thing` },
  { content: `${LONG} the harbour`, metadata: { note: 'zeppelin' } },
  { content: `see commit deadbe7f12 ${LONG}` },
  { content: 'far away', metadata: { place: 'e\u0301te\u0301 lointain' } },
  { content: 'order 10000012 too' },
  { content: 'fixed in 1234567abcdef' },
  { content: 'the crocodile met an elephant beneath the baobab' },
  { content: WORDS.join(' ') },
  ...Array.from({ length: 80 }, (_, i) => ({ content: `an old walrus, number n${i}x` }))
]

async function addAll(app: TestApp, session_id: string, messages: unknown[], as: As = {}): Promise<void> {
  for (let from = 0; from < messages.length; from += 100)
    await ok(app, 'add_messages', { session_id, messages: messages.slice(from, from + 100) }, as)
}

const fillers = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ content: `heap of things ${i}, yet another filler about nothing` }))

t.test('the oldest of 700 messages', async t => {
  const { url, name, drop } = await createDatabase()
  t.teardown(drop)
  // Where PostgreSQL can compile plans, this makes it compile each, which would take most of a search's second.
  await administer(url, `alter database ${name} set jit_above_cost = 0`)
  const app = await startApp(t, {}, { url })
  const session_id = await newSession(app)
  await addAll(app, session_id, [...OLD, ...fillers(610)])

  const search = (query: string, more: Record<string, unknown> = {}) =>
    ok(app, 'search_context', { session_id, query, ...more })
  const contents = async (query: string, more: Record<string, unknown> = {}) =>
    ((await search(query, more)).results as any[]).map(result => result.message.content as string)
  async function finds(t: Test, query: string, content: string, more: Record<string, unknown> = {}): Promise<void> {
    t.same(
      (await contents(query, more)).map(found => found.slice(0, 60)),
      [content.slice(0, 60)],
      query
    )
  }

  t.test('are found by a rare word, however it is written', async t => {
    for (const query of [
      'crocodile',
      'elephant crocodile',
      'crocodil',
      'ocodil',
      'crocodlie',
      'corcodlie',
      'eleph croc',
      'crocodile met an elephant'
    ]) {
      await finds(t, query, 'the crocodile met an elephant beneath the baobab')
    }
  })

  t.test('and by words that are common, the newest first', async t => {
    const { results, partial } = await search('filler heap')
    t.same(
      results.map((result: any) => result.message.content.slice(0, 18)),
      Array.from({ length: 10 }, (_, i) => `heap of things ${609 - i}`)
    )
    t.equal(partial, true, 'more have the words than are compared')
  })

  t.test('as many as are asked for', async t => {
    t.equal((await contents('walrus number', { limit: 100 })).length, 80)
    t.equal((await contents('walrus', { limit: 100 })).length, 80)
  })

  t.test('by each word of a text of 20 000 words', async t => {
    for (const word of [WORDS[5], WORDS[10_000], WORDS[19_999]] as string[]) await finds(t, word, WORDS.join(' '))
  })

  t.test('by the letters of a word with digits', async t => {
    for (const query of ['utf', 'sha', 'written utf']) await finds(t, query, 'written as utf8 with a sha256 beside it')
  })

  t.test('by the beginning of a very long word', async t => {
    await finds(t, 'supercalifragilistic', `a ${'supercalifragilistic'.repeat(3)} thing`)
  })

  t.test('by letters inside a word, few as they are', async t => {
    await finds(t, 'bl', 'the table is laid')
    await finds(t, 'quok', 'the quokka sleeps')
  })

  t.test('not by metadata that is left out, in a long text neither', async t => {
    await finds(t, 'zeppelin', `${LONG} the harbour`)
    await finds(t, 'harbour zeppelin', `${LONG} the harbour`)
    t.same(await contents('zeppelin', { search_metadata: false }), [])
    t.same(await contents('harbour zeppelin', { search_metadata: false }), [])
  })

  t.test('not by an identifier that is not there, in a long text neither', async t => {
    t.same(await contents('see commit 3f2a9c'), [])
    await finds(t, 'see commit deadbe7', `see commit deadbe7f12 ${LONG}`)
  })

  t.test('by metadata with accents, however they are composed', async t => {
    const queries = ['été lointain', 'e\u0301te\u0301 lointain', 'lointain été']
    for (const query of queries) await finds(t, query, 'far away')
  })

  t.test('a number is not the beginning of another one, but of a hash', async t => {
    t.same(await contents('100000'), [])
    t.same(await contents('order 100000'), [])
    await finds(t, '1234567', 'fixed in 1234567abcdef')
    await finds(t, 'fixed in 1234567', 'fixed in 1234567abcdef')
  })

  t.test('nothing changes by what the viewer may not see, however much of it there is', async t => {
    const queries = [
      'quok',
      'quokka',
      'quoka',
      'qu',
      'sleeps quok',
      'bl',
      'the table',
      'laid table bl',
      'heap quok',
      'crocodlie',
      'filler heap',
      '1234567',
      'zanzibar'
    ]
    // One after the other: a search that takes more than a second leaves something out.
    const ask = async () => {
      const answers: unknown[] = []
      for (const query of queries) {
        const { search_time_ms: _, ...answer } = await ok(
          app,
          'search_context',
          { session_id, query, fuzzy_threshold: 0, limit: 100 },
          OTHER
        )
        answers.push(answer)
      }
      return answers as any[]
    }
    // What waits is looked at otherwise than what is indexed.
    await indexAll(app.database.db)
    const before = await ask()
    const letters = 'abcdefghijklmnopqrstuvwxyz'
    const secret = Array.from(
      { length: 600 },
      (_, i) => `${letters.charAt(i % 26)}${letters.charAt(Math.floor(i / 26))}`
    )
    await addAll(
      app,
      session_id,
      secret.map(two => ({
        content: `quok${two} qu${two} ${two}bl tabl${two} crocod${two} sleeps zanzibar`,
        visibility: 'private'
      }))
    )
    await indexAll(app.database.db)
    for (const [i, answer] of (await ask()).entries()) t.same(answer, before[i], queries[i] as string)
    t.same(
      before[0]?.results.map((result: any) => result.message.content),
      ['the quokka sleeps']
    )
  })
})
