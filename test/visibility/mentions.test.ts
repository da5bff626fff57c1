import { sql } from 'kysely'
import t from 'tap'
import { mentionPattern, mentionsOf } from '../../src/visibility/mentions.js'
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
      '@worker-',
      '@worker_1',
      '@worker',
      '@xworker-1',
      '@worker-1я',
      '＠worker-1'
    ]
  ],
  ['worker', ['@worker', '@worker.', '@worker: @worker-1'], ['@worker-1', '@worker.a', '@workers', '@worker_']],
  [
    'Data Analyst (v2)',
    ['@Data Analyst (v2)', 'to @Data Analyst (v2): x'],
    ['@Data Analyst', '@Data Analyst (v2)x', '@Data Analyst v2', '@Data  Analyst (v2)']
  ],
  ['a.*b', ['@a.*b'], ['@axxb', '@a.b']],
  ['C:\\x/[y]{1}^$|+?', ['@C:\\x/[y]{1}^$|+?', '@C:\\x/[y]{1}^$|+?.'], ['@C:']],
  ['100%_done', ['@100%_done'], ['@100x_done', '@100%xdone']],
  ['caf', ['@caf'], ['@café', '@cafe']],
  ['café', ['@café', 'le @café.'], ['@cafés', '@cafe\u0301', '@CAFÉ']],
  ['小明', ['@小明', '请@小明，看', '@小明 看', '（@小明）'], ['@小明明', '@小', 'x@小明']],
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
