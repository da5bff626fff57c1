import t from 'tap'
import { type App } from '../../src/app.js'
import { newSession, ok, startApp } from '../helper.js'

/** The table of docs/semantics.md, Search, row by row, at the default threshold. */

async function sessionWith(
  app: App,
  contents: Array<string | { content: string; metadata: Record<string, unknown> }>
): Promise<string> {
  const session_id = await newSession(app)
  for (const one of contents)
    await ok(app, 'add_message', { session_id, ...(typeof one === 'string' ? { content: one } : one) })
  return session_id
}

async function found(
  app: App,
  session_id: string,
  query: string,
  more: Record<string, unknown> = {}
): Promise<Array<{ content: string; score: number }>> {
  const { results } = await ok(app, 'search_context', { session_id, query, ...more })
  return results.map((result: any) => ({ content: result.message.content, score: result.score }))
}

const contents = (results: Array<{ content: string }>) => results.map(result => result.content)

t.test('search finds what a person would call right', async t => {
  const app = await startApp(t)
  const assignments = [1, 2, 3, 10].map(n => `TASK ASSIGNMENT: worker-${n} -> part ${n}`)

  t.test('an assignment is found by its worker alone', async t => {
    const session = await sessionWith(app, assignments)
    t.same(contents(await found(app, session, 'TASK ASSIGNMENT: worker-1')), [assignments[0]])
  })

  t.test('also after the worker has acknowledged and completed it', async t => {
    const session = await sessionWith(app, [
      ...assignments,
      'Acknowledged: part 1',
      "@coordinator: Task 'part 1' completed by worker-1"
    ])
    t.same(contents(await found(app, session, 'TASK ASSIGNMENT: worker-1')), [assignments[0]])
  })

  t.test('a worker without an assignment finds none', async t => {
    const session = await sessionWith(app, [
      'Acknowledged: part 1',
      "@coordinator: Task 'part 1' completed by worker-1",
      assignments[1] as string
    ])
    t.same(await found(app, session, 'TASK ASSIGNMENT: worker-1'), [])
  })

  t.test('COMPLETED: comes first, then what completed, never what was acknowledged', async t => {
    const session = await sessionWith(
      app,
      [1, 2, 3].flatMap(n => [
        `COMPLETED: part ${n}`,
        `@coordinator: Task 'part ${n}' completed by worker-${n}`,
        `Acknowledged: part ${n}`
      ])
    )
    const results = contents(await found(app, session, 'COMPLETED:'))
    t.same(results.slice(0, 3).sort(), ['COMPLETED: part 1', 'COMPLETED: part 2', 'COMPLETED: part 3'])
    t.notOk(results.some(content => content.startsWith('Acknowledged')))
  })

  t.test('an exact word is 100, however long the message', async t => {
    const long = ` ${'lorem ipsum dolor '.repeat(200)}`
    const session = await sessionWith(
      app,
      [1, 2, 3, 4].flatMap(n => [`Task ${n}: write`, `Completed: ${n}${n > 2 ? long : ''}`])
    )
    const results = await found(app, session, 'completed')
    t.equal(results.length, 4)
    t.ok(results.every(({ content, score }) => score === 100 && content.startsWith('Completed')))
  })

  t.test('typing errors are forgiven', async t => {
    const session = await sessionWith(app, [
      'Python is a language',
      'Database schema of the shop',
      'Progress report of the group',
      'We use machine learning',
      'a web framework'
    ])
    for (const [query, content] of [
      ['Pyhton', 'Python is a language'],
      ['databse', 'Database schema of the shop'],
      ['machne learning', 'We use machine learning'],
      ['web framwork', 'a web framework']
    ] as const) {
      t.same(contents(await found(app, session, query)), [content], query)
    }
    t.same(await found(app, session, 'regresion'), [])
  })

  t.test('what stands as typed comes first, then the same word in the other number', async t => {
    const session = await sessionWith(app, [
      'no errors at all',
      'an error of the parser',
      'one query',
      'many queries',
      'terrors of the deep',
      'a mirror',
      'the parser errors out'
    ])
    t.same(contents(await found(app, session, 'errors')), [
      'the parser errors out',
      'terrors of the deep',
      'no errors at all',
      'an error of the parser'
    ])
    t.same(contents(await found(app, session, 'error')), [
      'the parser errors out',
      'terrors of the deep',
      'an error of the parser',
      'no errors at all'
    ])
    t.same(contents(await found(app, session, 'query')), ['one query', 'many queries'])
    t.same(contents(await found(app, session, 'queries')), ['many queries', 'one query'])
    t.same(contents(await found(app, session, 'parser errors')), ['the parser errors out', 'an error of the parser'])
    t.same(contents(await found(app, session, 'errors', { limit: 3 })), [
      'the parser errors out',
      'terrors of the deep',
      'no errors at all'
    ])
    const common = await sessionWith(app, [
      ...Array.from({ length: 12 }, (_, i) => `errors of run ${i}`),
      'the error of last night'
    ])
    t.equal((await found(app, common, 'errors', { limit: 20 })).at(-1)?.content, 'the error of last night')
    const old = await sessionWith(app, [
      'the zebra error',
      'zebra errors',
      ...Array.from({ length: 15 }, () => 'errors and errors')
    ])
    t.same(contents(await found(app, old, 'zebra errors')), ['zebra errors', 'the zebra error'])
  })

  t.test('the order of words does not matter', async t => {
    const session = await sessionWith(app, ['Research phase', 'Cooking'])
    t.same(contents(await found(app, session, 'phase research')), ['Research phase'])
  })

  t.test('queries too short for trigrams', async t => {
    const texts = ['你好世界', 'Le café du coin', 'Launch 🚀 today', 'the db is down']
    const session = await sessionWith(app, texts)
    for (const [i, query] of ['世界', 'café', '🚀', 'db'].entries())
      t.same(contents(await found(app, session, query)), [texts[i]], query)
  })

  t.test('metadata counts, unless it is left out', async t => {
    const session = await sessionWith(app, [
      { content: 'see there', metadata: { task: 'Research phase', nested: { list: ['deep value'] } } }
    ])
    t.match(await found(app, session, 'Research phase'), [{ score: 100 }])
    t.match(await found(app, session, 'deep value'), [{ score: 100 }])
    t.same(await found(app, session, 'Research phase', { search_metadata: false }), [])
    t.same(await found(app, session, 'nested'), [], 'names of metadata are not searched')
  })

  t.test('an empty query finds nothing, and odd characters are just characters', async t => {
    const session = await sessionWith(app, ['100% of a_b (sure) [x] \\ \' "q" & | ! : * ?', 'nothing'])
    t.same(await found(app, session, ''), [])
    for (const query of ['100%', 'a_b', '(sure)', '[x]', '\\', "'", '"q"', '& |', '! : * ?'])
      t.equal((await found(app, session, query)).length, 1, query)
  })

  t.test('all of a long message is searched', async t => {
    const content = `${'filler words here '.repeat(2000)} the crocodile met the elephant`
    const session = await sessionWith(app, [content])
    t.same(contents(await found(app, session, 'elephant crocodile')), [content])
    t.match((await found(app, session, 'crocodile met the elephant'))[0], { score: 100 })
  })

  t.test('the preview of a long message shows an odd query where it stands', async t => {
    for (const query of ['worker-1', 'a/b.c*d', '[x] (y) {z}', '^$|?+\\']) {
      const session = await sessionWith(app, [`${'hay '.repeat(100)}${query}${' hay'.repeat(100)}`])
      const { results } = await ok(app, 'search_context', { session_id: session, query })
      t.ok(results[0]?.match_preview.includes(query), query)
    }
  })

  t.test('equals come newest first, each once, and previews hold the match', async t => {
    const session = await sessionWith(app, [
      'needle one',
      `${'hay '.repeat(100)}needle two${' hay'.repeat(100)}`,
      'needle three'
    ])
    const { results } = await ok(app, 'search_context', { session_id: session, query: 'needle' })
    t.same(
      results.map((result: any) => result.message.seq),
      [3, 2, 1]
    )
    t.ok(
      results.every(
        (result: any) =>
          result.match_preview.includes('needle') &&
          [...result.match_preview].length <= 150 &&
          result.relevance === 'high'
      )
    )
  })
})
