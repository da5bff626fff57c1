import { sql } from 'kysely'
import t from 'tap'
import { mentioning, readLongerNames } from '../../src/visibility/message-filter.js'
import { mentionPattern, mentionsOf, namePlaces } from '../../src/visibility/mentions.js'
import { startApp } from '../helper.js'

/** What counts as a mention, asked of JavaScript and of PostgreSQL alike. */

const {
  database: { db }
} = await startApp(t)

const CASES: Array<[agent_id: string, mentioned: string[], not: string[]]> = [
  [
    'worker-1',
    [
      '@worker-1',
      'hello @worker-1',
      '@worker-1.',
      '@worker-1: go',
      '@worker-1:go',
      '(@worker-1)',
      '[@worker-1]',
      '**@worker-1**',
      '"@worker-1"',
      "@worker-1's task",
      'a\n@worker-1\nb',
      '@worker-2,@worker-1',
      '@worker-1/@worker-2',
      '@@worker-1',
      '@worker-1...',
      '@worker-1 - do it',
      '@worker-1- do it',
      '@worker-1-',
      '@worker-1, @worker-10',
      '@worker-10, @worker-1',
      '🚀@worker-1🚀',
      '请@worker-1看一下',
      '@worker-1さん、',
      '“@worker-1”',
      '—@worker-1—',
      '@worker-1！',
      '@worker-1\u00A0x',
      '¿@worker-1?',
      '-@worker-1',
      '＠worker-1',
      '请＠worker-1看',
      '_@worker-1_',
      '__@worker-1__',
      '@worker-2/@worker-1',
      'https://x.org @worker-1',
      'https://x.org/a，@worker-1',
      'and/or/@worker-1',
      '@worker-1/',
      '@worker-1_',
      'x: @worker-1\tdo'
    ],
    [
      '',
      'worker-1',
      '@ worker-1',
      '@worker-10',
      '@worker-1-b',
      '@worker-1.5',
      '@worker-1b',
      '@worker-1_b',
      '@worker-1é',
      '@worker-1\u0301',
      'me@worker-1',
      'me_@worker-1',
      'é@worker-1',
      '7@worker-1',
      '@Worker-1',
      '@worker-1/helper',
      '@worker-1/b, @worker-1_b',
      'https://x.org/@worker-1',
      'see http://x.org/u?to=@worker-1 now',
      'x.org/@worker-1',
      'localhost:8080/@worker-1',
      'mailto:me@worker-1',
      'first.last@worker-1.example',
      '@worker-',
      '@worker_1',
      '@worker',
      '@xworker-1',
      '@worker-1я'
    ]
  ],
  ['worker', ['@worker', '@worker.', '@worker: @worker-1'], ['@worker-1', '@worker.a', '@workers', '@worker_x']],
  [
    'Data Analyst (v2)',
    ['@Data Analyst (v2)', 'to @Data Analyst (v2): x'],
    ['@Data Analyst', '@Data Analyst (v2)x', '@Data Analyst v2', '@Data  Analyst (v2)']
  ],
  ['a.*b', ['@a.*b'], ['@axxb', '@a.b']],
  ['C:\\x/[y]{1}^$|+?', ['@C:\\x/[y]{1}^$|+?', '@C:\\x/[y]{1}^$|+?.'], ['@C:']],
  ['100%_done', ['@100%_done'], ['@100x_done', '@100%xdone']],
  ['caf', ['@caf'], ['@café', '@cafe']],
  ['café', ['@café', 'le @café.', '@cafe\u0301'], ['@cafés', '@CAFÉ', '@cafe']],
  ['小明', ['@小明', '请@小明，看', '@小明 看', '（@小明）', '@小明请看'], ['@小', 'x@小明']],
  ['🤖', ['@🤖', 'a @🤖!', '@🤖🤖'], ['🤖']],
  ['bot.', ['@bot.', '@bot..', '@bot. x'], ['@bot', '@bot.x', '@bot.-x']],
  ['-', ['@-', '@- x'], ['@-x']]
]

for (const [agent_id, mentioned, not] of CASES) {
  t.test(`@${agent_id}`, async t => {
    const test = mentionsOf(agent_id)
    const contents = [...mentioned, ...not]
    const { rows } = await sql<{ is: boolean }>`
      select content ~ ${mentionPattern(agent_id)} as is from unnest(${contents}::text[])
        with ordinality as given (content, n) order by n`.execute(db)
    contents.forEach((content, i) => {
      const expected = i < mentioned.length
      t.equal(test(content), expected, `JavaScript: ${JSON.stringify(content)}`)
      t.equal(rows[i]?.is, expected, `PostgreSQL: ${JSON.stringify(content)}`)
    })
  })
}

t.test('the longest known name wins', async t => {
  const agents = ['小明', '小明明', 'a', 'a b', 'a (b)', 'a*', 'planner', 'planner/one']
  await sql`insert into agents (workspace, agent_id, agent_type, last_seen_at)
    select 'default', agent_id, 'x', now() from unnest(${agents}::text[]) agent_id`.execute(db)
  const TEXTS: Array<[content: string, mentioned: string[]]> = [
    ['@小明明', ['小明明']],
    ['@小明明请看 @小明请看', ['小明', '小明明']],
    ['@小明明明', ['小明明']],
    ['@a b', ['a b']],
    ['@a c', ['a']],
    ['@a b, @a c', ['a', 'a b']],
    ['@a bc', ['a']],
    ['@a (b)', ['a (b)']],
    ['@a*', ['a*']],
    ['@planner/one', ['planner/one']],
    ['@planner/two', []],
    ['@planner/ @planner/one.', ['planner', 'planner/one']]
  ]
  for (const [content, mentioned] of TEXTS) {
    const said: string[] = []
    const found: string[] = []
    for (const agent_id of agents) {
      const agent = { workspace: 'default', agent_id }
      if (mentionsOf(agent_id, await readLongerNames(db, agent))(content)) said.push(agent_id)
      const { rows } = await sql`select from (select ${content}::text as content) m where ${mentioning(agent)}`.execute(
        db
      )
      if (rows.length > 0) found.push(agent_id)
    }
    t.same(said.sort(), [...mentioned].sort(), `JavaScript: ${content}`)
    t.same(found.sort(), [...mentioned].sort(), `PostgreSQL: ${content}`)
  }
})

t.test('a content that is nothing but names takes no long time', async t => {
  const content = '@w1'.repeat(33_000)
  // Of the processor: what else runs on the machine does not count.
  const begun = process.cpuUsage()
  t.equal(mentionsOf('w2')(content), false)
  t.equal(mentionsOf('w1x', ['w1x2'])(`${content}@w1x`), false)
  namePlaces(content, 50, 100)
  namePlaces('@ '.repeat(50_000), 50, 100)
  const { user, system } = process.cpuUsage(begun)
  const took_ms = (user + system) / 1000
  t.ok(took_ms < 2000, `${took_ms} ms`)
})

t.test('both engines agree about any character before and after', async t => {
  for (const agent_id of ['w1', '小']) {
    const test = mentionsOf(agent_id)
    const characters: string[] = []
    for (let code = 1; code < 0x30000; code += code < 0x3200 ? 1 : 37)
      if (code < 0xd800 || code > 0xdfff) characters.push(String.fromCodePoint(code))
    const contents = characters.flatMap(one => [`${one}@${agent_id}`, `@${agent_id}${one}`, `@${agent_id}.${one}`])
    const { rows } = await sql<{ is: boolean }>`
      select content ~ ${mentionPattern(agent_id)} as is from unnest(${contents}::text[])
        with ordinality as given (content, n) order by n`.execute(db)
    t.same(
      contents.filter((content, i) => rows[i]?.is !== test(content)).map(content => JSON.stringify(content)),
      []
    )
    const unspaced = 'Common Han Hiragana Katakana Bopomofo Hangul Thai Lao Tibetan Myanmar Khmer'.split(' ')
    const spaced = new RegExp(
      `[\\p{L}\\p{Nd}](?<![\\p{Lm}${unspaced.map(script => `\\p{Script=${script}}`).join('')}])`,
      'u'
    )
    t.same(
      characters.filter(one => spaced.test(one) && test(`@${agent_id}${one}`)),
      [],
      'a letter continues an id'
    )
    const spaceOrSign = '(?<=[\\p{Zs}\\p{Pd}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}\\p{Sm}\\p{Sc}])'
    const usual = new RegExp(`[\\u0020-\\u00BF\\u2000-\\u206F\\u3000-\\u3030\\uFF00-\\uFF65]${spaceOrSign}`, 'u')
    t.same(
      characters.filter(one => usual.test(one) && !test(`${one}@${agent_id}${one}`)),
      [],
      'space, brackets and punctuation end one'
    )
  }
})
