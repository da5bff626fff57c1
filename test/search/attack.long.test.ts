import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { indexAll } from '../support/index-all.js'

/** What somebody found who tried to break search. */

const app = await startApp(t)

async function found(session_id: string, query: string, more: Record<string, unknown> = {}): Promise<string[]> {
  const { results } = await ok(app, 'search_context', { session_id, query, ...more })
  return results.map((result: any) => result.message.content)
}

async function sessionOf(contents: string[]): Promise<string> {
  const session_id = await newSession(app)
  for (let i = 0; i < contents.length; i += 50)
    await ok(app, 'add_messages', { session_id, messages: contents.slice(i, i + 50).map(content => ({ content })) })
  return session_id
}

t.test('a worker whose name has no digit finds its own assignments alone', async t => {
  const session_id = await sessionOf([
    'TASK ASSIGNMENT: worker-b -> build',
    'TASK ASSIGNMENT: worker-c -> call',
    'TASK ASSIGNMENT: worker-beta -> build',
    'TASK ASSIGNMENT: worker-gamma -> call',
    'TASK ASSIGNMENT: backend-dev -> build'
  ])
  for (const worker of ['worker-a', 'worker-alpha', 'frontend-dev'])
    t.same(await found(session_id, `TASK ASSIGNMENT: ${worker}`), [], worker)
  t.same(
    await found(session_id, 'TASK ASSIGNMENT: worker-b'),
    ['TASK ASSIGNMENT: worker-beta -> build', 'TASK ASSIGNMENT: worker-b -> build'],
    'what stands exactly so, newest first'
  )
  t.same(await found(session_id, 'TASK ASSIGNMENT: worker-gamma'), ['TASK ASSIGNMENT: worker-gamma -> call'])
})

t.test('four plain words are no question: none of them may be lacking', async t => {
  const session_id = await sessionOf(['database migration finished yesterday'])
  t.same(await found(session_id, 'database migration failed yesterday'), [])
})

t.test('scripts without spaces end an identifier where they begin', async t => {
  const contents = [
    ...['第3章の概要', 'GPT4モデルを使う', '来月は2024年です'],
    ...['価格は500円です', '新しいv2版を出す']
  ]
  const session_id = await sessionOf(contents)
  for (const [query, content] of [
    ['第3章', 0],
    ['GPT4モデル', 1],
    ['2024年', 2],
    ['500円', 3],
    ['v2', 4],
    ['GPT4', 1],
    ['2024', 2]
  ] as const) {
    t.same(await found(session_id, query), [contents[content]], query)
  }
  t.same(await found(session_id, '202'), [], 'a number is not in a longer one')
})

t.test('of a long text only what stands in it counts', async t => {
  const filler = 'lorem ipsum dolor '.repeat(600)
  const session_id = await sessionOf([
    `TASK ASSIGNMENT: worker-2 -> go on after worker 1 ${filler}`,
    `deploy failed ${filler}`,
    `${filler} the walrus, worker-10 and worker-7`
  ])
  t.same(await found(session_id, 'TASK ASSIGNMENT: worker-1'), [])
  t.same(await found(session_id, 'deploy failed 🚀'), [])
  t.equal((await found(session_id, 'lorem walrus')).length, 1, 'also at its end')
  t.equal((await found(session_id, 'lorem worker-7')).length, 1)
  t.equal((await found(session_id, 'lorem worker-1')).length, 0)
})

t.test('words that collide by a hash that anybody can compute tell nothing', async t => {
  // Both have the same 32-bit FNV-1a hash behind the letter w, which terms were once.
  const [planted, guess] = ['qtklsbfku', 'acquisition']
  const few = await sessionOf([`${planted} ${'lorem ipsum '.repeat(800)}`, planted, 'akquisity'])
  // More than are scored.
  const many = await sessionOf(Array.from({ length: 70 }, (_, i) => `${planted} ${i}`))
  const ask = async () =>
    Promise.all(
      [few, many].flatMap(session_id =>
        ['acquisitoin', 'acquisiti', guess, `${guess} lorem`].flatMap(query =>
          [0, 30, 60].map(async fuzzy_threshold => {
            const { search_time_ms: _, ...answer } = await ok(app, 'search_context', {
              session_id,
              query,
              fuzzy_threshold
            })
            return answer
          })
        )
      )
    )
  const before = await ask()
  t.match(
    before[5],
    { query: 'acquisiti', threshold: 60, partial: false, results: [{ message: { content: 'akquisity' } }] },
    'what has two errors is found, as long as the word as typed stands nowhere'
  )
  const other = await newSession(app)
  await ok(
    app,
    'add_message',
    { session_id: other, content: `the ${guess} of Initech`, visibility: 'private' },
    { agent_id: 'boss', agent_type: 'boss' }
  )
  t.same(await ask(), before)
})

t.test('more than 500 waiting messages of others change nothing, at no threshold', async t => {
  const session_id = await sessionOf(['gateway is down', 'authentik gateway is up', 'something else'])
  const ask = () =>
    Promise.all([0, 40, 60].map(fuzzy_threshold => found(session_id, 'authentik gateway', { fuzzy_threshold })))
  const before = await ask()
  await app.database.pool.query(
    'insert into search_pending (session_id, message_id) select $1, n from generate_series(1000000, 1000700) n',
    [session_id]
  )
  t.same(await ask(), before)
})

t.test('long texts of other scripts are searched, right after writing too', async t => {
  const long = (i: number) => {
    let text = ''
    while (text.length < 95_000) text += `grün${(i * 7919 + text.length) % 9973} is\nword${text.length.toString(36)} `
    return `${text} needle${i}`
  }
  const session_id = await newSession(app)
  for (let i = 0; i < 60; i += 20)
    await ok(app, 'add_messages', {
      session_id,
      messages: Array.from({ length: 20 }, (_, j) => ({ content: long(i + j) }))
    })
  for (const query of ['hello', 'needle59', 'ünknown phrase', 'grün', 'is', '"', '\\', 'gruen wrod']) {
    t.equal((await call(app, 'search_context', { session_id, query })).status, 200, query)
  }
  t.equal((await found(session_id, 'needle59')).length, 1)
})

t.test(
  'what begins or ends inside a longer word is found in old messages too, although it stands exactly in new ones',
  async t => {
    const session_id = await sessionOf([
      'an old call of resumable_search_context',
      'quokkas redeploy seventeen walrus services beneath production clusters',
      ...Array.from({ length: 510 }, (_, i) => `filler ${i}`),
      'a new call of search_context',
      'quokkas redeploy seventeen walrus services beneath production'
    ])
    await indexAll(app.database.db)
    for (const query of [
      'search_con',
      'able_search',
      'search_context',
      'deploy seventeen walrus services beneath prod',
      'seventeen walrus services beneath production'
    ]) {
      const { results, partial } = await ok(app, 'search_context', { session_id, query })
      t.match(results, query === 'able_search' ? [{ score: 100 }] : [{ score: 100 }, { score: 100 }], query)
      t.equal(partial, false)
    }
  }
)

t.test('an answer says that it is partial where texts are too long for all of them to be read', async t => {
  const long = Array.from({ length: 30 }, () => '12345 '.repeat(15_000))
  const session_id = await sessionOf(['the table is laid', ...long])
  await indexAll(app.database.db)
  t.match(await ok(app, 'search_context', { session_id, query: 'bl' }), { results: [], partial: true })
  t.match(await ok(app, 'search_context', { session_id, query: 'table' }), {
    results: [{ score: 100 }],
    partial: false
  })
})
