import t from 'tap'
import { sql } from 'kysely'
import { plain } from '../../src/http/openapi.js'
import { call, newSession, ok, startApp } from '../helper.js'
import { samples } from '../support/samples.js'

/**
 * Text that means something to SQL, to its patterns, to full-text queries, to JSON paths or to shells means nothing
 * here.
 */

// A machine may be slow.
t.setTimeout(600_000)
const app = await startApp(t)
const session_id = await newSession(app)
await ok(
  app,
  'add_messages',
  {
    session_id,
    messages: [
      { content: 'an ordinary walrus', metadata: { colour: 'grey' } },
      { content: 'a secret walrus', visibility: 'private' }
    ]
  },
  { agent_id: 'owner' }
)

const TEXTS = [
  "'; drop table messages; --",
  "' or '1'='1",
  "' union select value::text from agent_memory --",
  "\\'; select pg_sleep(10); --",
  '"; delete from sessions; --',
  '$1',
  '$$; drop table messages; $$',
  '%',
  '_',
  '%%',
  '\\%',
  '\\',
  "E'\\047'",
  "'walrus' | 'secret'",
  'walrus:*',
  '!walrus',
  '(walrus & secret',
  'walrus <-> secret',
  "a'b:c*",
  '<2>',
  '{"$gt":""}',
  '$.**',
  '{"a":{"$ne":null}}',
  "}'::jsonb; --",
  '["x","\' or true --"]',
  'x"}]}',
  '../../../etc/passwd',
  '$(touch /tmp/x)',
  '`id`',
  '{{7*7}}',
  '${7*7}',
  '<script>alert(1)</script>',
  'a\nX-Agent-Id: b',
  '::regclass',
  'pg_sleep(10)',
  "name'::name",
  '0x27',
  'ﬀ＇ or １＝１',
  "ʼ or ''='",
  'NULL',
  'current_user'
]

/** What is in the tables, by their number of rows. */
async function rows(): Promise<Record<string, number>> {
  const { rows } = await sql<{
    name: string
  }>`select table_name as name from information_schema.tables where table_schema = 'public'
    and table_type = 'BASE TABLE' order by 1`.execute(app.database.db)
  return Object.fromEntries(
    await Promise.all(
      rows.map(async ({ name }) => [
        name,
        Number(
          (await sql<{ n: number }>`select count(*) as n from ${sql.table(name)}`.execute(app.database.db)).rows[0]?.n
        )
      ])
    )
  )
}

t.test('every text argument of every tool', async t => {
  const before = await rows()
  let asked = 0
  const faults: string[] = []
  for (const tool of app.kernel.tools) {
    const { properties } = plain(tool.input) as { properties: Record<string, { type?: string }> }
    for (const [name, { type }] of Object.entries(properties)) {
      if (type !== 'string' && type !== 'object' && name !== 'value') continue
      const { args, as, instead } = await (samples[tool.name] as (typeof samples)[string])(app)
      const rest = Object.fromEntries(
        Object.entries(args).filter(
          ([other]) => other !== 'idempotency_key' && !(instead !== undefined && name in instead && other === 'token')
        )
      )
      if ('timeout_seconds' in rest) rest.timeout_seconds = 0
      const left = [...TEXTS]
      const work = async () => {
        for (let text = left.pop(); text !== undefined; text = left.pop()) await tryOne(text)
      }
      const tryOne = async (text: string) => {
        const values = type === 'object' || name === 'value' ? [{ [text]: text }, { a: [text] }] : [text]
        for (const value of values) {
          const { status, body } = await call(app, tool.name, { ...rest, [name]: value }, as)
          asked++
          if (typeof body.success !== 'boolean' || status >= 500)
            faults.push(`${tool.name} ${name}=${text}: ${status} ${JSON.stringify(body)}`)
          if (status >= 400 && /syntax|relation|column|tsquery|operator|pg_|postgres/i.test(body.error))
            faults.push(`${tool.name} ${name}=${text} tells: ${body.error}`)
        }
      }
      await Promise.all([work(), work(), work(), work()])
    }
  }
  t.same(faults, [], `${asked} calls`)
  const after = await rows()
  t.same(Object.keys(after), Object.keys(before), 'every table is there')
  t.same(
    Object.entries(after).filter(([name, n]) => n < (before[name] as number) && !/pending|presence|limit/.test(name)),
    [],
    'nothing is gone'
  )
})

t.test('nothing widens what is found', async t => {
  const stranger = { agent_id: 'stranger', agent_type: 'other' }
  for (const text of TEXTS.filter(text => !text.includes('\n'))) {
    const found = await ok(app, 'search_context', { session_id, query: text, fuzzy_threshold: 60 }, stranger)
    t.notOk(JSON.stringify(found.results).includes('secret walrus'), text)
    for (const tool of ['search_by_sender', 'get_messages'])
      t.same((await ok(app, tool, { session_id, sender: text }, stranger)).messages, [], `${tool} of ${text}`)
    t.same((await ok(app, 'list_sessions', { created_by: text }, stranger)).sessions, [])
    t.same((await ok(app, 'list_memory', { prefix: text, session_id: 'all' }, stranger)).entries, [])
    t.same(
      (await ok(app, 'search_context', { session_id, query: 'walrus', metadata_filter: { [text]: text } }, stranger))
        .results,
      []
    )
  }
  for (const query of ['%', '_', '%%', '\\'])
    t.same(
      (await ok(app, 'list_sessions', { query }, stranger)).sessions.filter((one: any) => !one.purpose.includes(query)),
      [],
      `the purpose has no pattern ${query}`
    )
})

t.test('what is stored comes back as it was', async t => {
  for (const text of TEXTS) {
    await ok(app, 'set_memory', {
      key: text.replace(/\n/g, ' '),
      value: { [text]: [text] },
      metadata: { [text]: text }
    })
    const { value, metadata } = await ok(app, 'get_memory', { key: text.replace(/\n/g, ' ') })
    t.same({ value, metadata }, { value: { [text]: [text] }, metadata: { [text]: text } }, text)
    const { message_id } = await ok(app, 'add_message', { session_id, content: text, metadata: { [text]: text } })
    const { messages } = await ok(app, 'get_messages', { session_id, limit: 1 })
    t.match(messages[0], { id: message_id, content: text, metadata: { [text]: text } })
  }
})
