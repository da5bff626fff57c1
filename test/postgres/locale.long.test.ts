import t from 'tap'
import { ok, startApp, type TestApp } from '../helper.js'
import { createDatabase, testServer } from '../support/cluster.js'
import { administer, migrated } from '../support/database.js'
import { until } from '../support/until.js'

/** With LC_CTYPE C, the default of several operators, PostgreSQL knows no letters but those of ASCII. */

const RUSSIAN = [
  'миграция база данных сервер журнал очередь ключ',
  'агент задача поиск сессия отчёт ёлка команда сеть'
].flatMap(words => words.split(' '))
const TEXTS = [
  'Die Überraschung der Straße: größer als gedacht',
  'Une soirée au café, déjà vu à l’hôtel',
  'El niño comió jalapeños mañana',
  'Η μετάβαση της βάσης ολοκληρώθηκε, ΟΔΥΣΣΕΥΣ',
  'İstanbul’da ışık ve gölge',
  'データベースの移行が完了しました',
  '数据库迁移已完成，请检查日志',
  '데이터베이스 마이그레이션 완료',
  'การย้ายฐานข้อมูลเสร็จสิ้น',
  'The café opens — naïve façade, plain words too',
  'Zoë met Ångström in Tromsø',
  'deploy 🚀 worker-7 to Zürich'
]
const QUERIES = [
  ...[
    'миграция базы',
    'миграцыя база',
    'МИГРАЦИЯ БАЗА',
    'Данных сервер',
    'очеред',
    'ключ агентт',
    'ёлка',
    'Отчёт',
    'сесия'
  ],
  ...[
    'überraschung',
    'UBERRASCHUNG',
    'Strasse',
    'groesser',
    'größer',
    'GRÖSSER',
    'Überaschung',
    'cafe',
    'CAFÉ',
    'soiree'
  ],
  ...[
    'deja',
    'hôtel',
    'nino',
    'NIÑO',
    'manana',
    'μεταβαση',
    'ΜΕΤΆΒΑΣΗ',
    'οδυσσευς',
    'istanbul',
    'ışık',
    'データベース'
  ],
  ...[
    '移行',
    '数据库',
    '日志',
    '마이그레이션',
    'ฐานข้อมูล',
    'naive facade',
    'tromso',
    'ångstrom',
    '🚀',
    'zurich',
    'café plain'
  ],
  ...['Wann war die Überraschung?', 'где журнал сервера', 'команды', 'plain wrods']
]
const PURPOSES = [
  ...['Общая сессия Команды', 'Überraschung der Woche', 'Café und Straße'],
  ...['plain words', 'データベースの移行', 'Ёлка'],
  ...['ПЛАН миграции — этап 2', 'Zoë’s naïve façade', 'ΟΔΥΣΣΕΥΣ στην πόλη']
]
const PURPOSE_QUERIES = [
  ...[
    'команды',
    'общая',
    'ОБЩАЯ',
    'сесия',
    'überraschung',
    'ÜBERRASCHUNG',
    'Überaschung',
    'Uberraschung',
    'café',
    'CAFE'
  ],
  ...[
    'straße',
    'PLAIN',
    'plian words',
    '移行',
    'データベース',
    'ёлка',
    'план',
    'миграцыи',
    'этап',
    'zoë',
    'naive',
    'FAÇADE'
  ],
  ...['πόλη', 'ΠΌΛΗ', 'nowhere', '%', '_']
]
const TASKS = ['Миграция базы', 'Größe der Straße prüfen', '移行を確認', 'plain task']
const TASK_QUERIES = ['миграция', 'БАЗЫ', 'GRÖSSE', 'größe', '移行', 'PLAIN', 'привет']
const AGENTS = ['zoë', 'Zoë', 'Анна', '小明', 'ann', 'Åsa', '_x']
const KEYS = ['заметка', 'Ключ', 'über', 'Zebra', 'apple', '鍵', 'é', 'z']

const asHeader = (name: string) => ({ agent_id: Buffer.from(name).toString('latin1') })

/** An app on a database of that locale, with the same data as every other. */
async function filled(locale: string): Promise<TestApp> {
  const { url, drop } = await createDatabase({
    empty: true,
    options: `template template0 encoding 'UTF8' lc_collate 'C' ${locale}`
  })
  t.teardown(drop)
  await migrated(url)
  const app = await startApp(t, { LOG_LEVEL: 'warn' }, { url })
  for (const purpose of PURPOSES) await ok(app, 'create_session', { purpose })
  for (const agent of AGENTS) await ok(app, 'list_sessions', {}, asHeader(agent))
  await until(async () => {
    const { length } = await app.database.db.selectFrom('agents').select('agent_id').execute()
    return length > AGENTS.length
  }, 'the agents are known')
  const { session_id } = await ok(app, 'create_session', { purpose: 'talk' })
  // The same five words for everybody, chosen without chance.
  const russian = Array.from({ length: 100 }, (_, n) => {
    const [first = '', ...rest] = [1, 2, 3, 5, 7].map(
      step => RUSSIAN[(n * step + step * step) % RUSSIAN.length] as string
    )
    return [first.charAt(0).toUpperCase() + first.slice(1), ...rest].join(' ')
  })
  const mentioning = AGENTS.map(agent => `@${agent}, bitte, 请看, готово`)
  const contents = [...TEXTS, ...russian, ...mentioning, '＠小明请看', '@анна @ÅSA', 'a@Анна.рф']
  for (let i = 0; i < contents.length; i += 50)
    await ok(
      app,
      'add_messages',
      { session_id, messages: contents.slice(i, i + 50).map(content => ({ content, metadata: { note: content } })) },
      asHeader('Анна')
    )
  for (const key of KEYS) await ok(app, 'set_memory', { key, value: `${key}: ${TEXTS.join(' ')}` })
  for (const title of TASKS) await ok(app, 'create_task', { title, description: title.toLowerCase() })
  return app
}

/** All answers that depend on letters, without what is different each time. */
async function answersOf(app: TestApp): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {}
  for (const query of QUERIES) {
    for (const search_metadata of [false, true]) {
      const { results } = await ok(app, 'search_context', { query, limit: 20, search_metadata, fuzzy_threshold: 0 })
      answers[`search_context ${query} ${search_metadata}`] = results.map(({ message, score, match_preview }: any) => [
        message.content,
        score,
        match_preview
      ])
    }
    const { results } = await ok(app, 'search_memory', { query, fuzzy_threshold: 0 })
    answers[`search_memory ${query}`] = results.map(({ key, score }: any) => [key, score])
  }
  for (const query of PURPOSE_QUERIES)
    answers[`list_sessions ${query}`] = (await ok(app, 'list_sessions', { query })).sessions.map((s: any) => s.purpose)
  for (const query of TASK_QUERIES)
    answers[`list_tasks ${query}`] = (await ok(app, 'list_tasks', { query })).tasks.map((task: any) => task.title)
  const { sessions } = await ok(app, 'list_sessions')
  answers.list_sessions = sessions.map((session: any) => session.purpose)
  const session_id = sessions[0].id
  for (const agent of AGENTS) {
    const { messages } = await ok(
      app,
      'wait_for_messages',
      { session_id, after_seq: 0, mentions_only: true, timeout_seconds: 0 },
      asHeader(agent)
    )
    answers[`mentions of ${agent}`] = messages.map((message: any) => message.content)
    const { session } = await ok(app, 'get_session', { session_id }, asHeader(agent))
    answers[`unread of ${agent}`] = session.unread
  }
  const { session } = await ok(app, 'get_session', { session_id })
  answers.participants = (session.participants ?? []).map((each: any) => each.agent_id)
  for (const prefix of ['', 'з', 'К', 'ü', '鍵'])
    answers[`list_memory ${prefix}`] = (await ok(app, 'list_memory', { prefix })).entries.map((entry: any) => entry.key)
  return answers
}

const [{ major }] = await administer(
  (await testServer()).url,
  "select current_setting('server_version_num')::int / 10000 as major"
)
const expected = await answersOf(await filled("locale_provider libc lc_ctype 'C.UTF-8'"))
t.ok(Object.values(expected).filter(answer => (answer as unknown[]).length !== 0).length > 80, 'most are found')

for (const [name, locale] of [
  ['LC_CTYPE C', "locale_provider libc lc_ctype 'C'"],
  ['LC_CTYPE C with the locale of ICU', "locale_provider icu icu_locale 'und' lc_ctype 'C'"],
  ...(major >= 17
    ? [['the built-in C.UTF-8', "locale_provider builtin builtin_locale 'C.UTF-8' lc_ctype 'C'"] as const]
    : [])
] as const)
  t.test(`${name} finds the same in the same order as C.UTF-8`, async t => {
    const found = await answersOf(await filled(locale))
    for (const [what, answer] of Object.entries(expected)) t.same(found[what], answer, what)
    for (const [query, purpose] of [
      ['ОБЩАЯ', 'Общая сессия Команды'],
      ['сесия', 'Общая сессия Команды'],
      ['миграцыи', 'ПЛАН миграции — этап 2']
    ] as const)
      t.ok((found[`list_sessions ${query}`] as string[]).includes(purpose), `${query} finds ${purpose}`)
  })
