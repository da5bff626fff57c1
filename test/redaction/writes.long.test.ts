import { type TObject, type TSchema } from '@sinclair/typebox'
import { sql } from 'kysely'
import t from 'tap'
import type { TextArgument } from '../../src/kernel/text-arguments.js'
import { API_KEY, call, environment, newSession, ok, runToEnd, startApp, type TestApp } from '../helper.js'
import { samples } from '../support/samples.js'
import { tools } from '../support/tools.js'
import { SECRETS } from './secrets.js'

/** A secret in whatever an agent may write, and then looked for everywhere. */

const secret = SECRETS.github_token?.[0]?.[0] as string
const ADMIN = { admin: true, agent_id: 'an-admin' }

/** The names of the tables in which a text is found, in any column. */
async function tablesWith({ database }: TestApp, text: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema') order by name`.execute(database.db)
  const found: string[] = []
  for (const { name } of rows) {
    const { rows } = await sql`
      select from ${sql.raw(name)} t where to_jsonb(t)::text like ${`%${text}%`} limit 1`.execute(database.db)
    if (rows.length > 0) found.push(name)
  }
  return found
}

/** The arguments with the secret in each that holds text. */
function withSecret(given: Record<string, unknown>, texts: readonly TextArgument[]): Record<string, unknown> {
  const args = { ...given }
  for (const { name, items } of texts) {
    const value = args[name]
    if (value === undefined) continue
    if (items !== undefined) args[name] = (value as Array<Record<string, unknown>>).map(item => withSecret(item, items))
    else if (typeof value === 'string') args[name] = `${value} ${secret}`
    else if (Array.isArray(value)) args[name] = [...(value as unknown[]), secret]
    else args[name] = { ...(value as object), more: [{ [`${secret}`]: `${secret}!` }] }
  }
  return args
}

/** A sample that neither goes again nor takes away what it has written. */
async function sampleOf(app: TestApp, name: string) {
  const { args, as = {} } = await (samples[name] as (typeof samples)[string])(app)
  if (name === 'batch_memory') args.operations = (args.operations as unknown[]).slice(0, 3)
  if (name === 'import_session')
    args.ndjson = (args.ndjson as string).replaceAll('content-that', `${secret} content-that`)
  return { args, as }
}

for (const mode of ['mask', 'report'] as const)
  t.test(`${mode}: every tool that writes`, async t => {
    const app = await startApp(t, { REDACTION: mode, LOG_LEVEL: 'trace' })
    const writers = tools.filter(({ name }) => (app.kernel.find(name)?.texts ?? []).length > 0)
    t.ok(writers.length >= 18, writers.map(({ name }) => name).join())
    for (const { name } of [...writers, { name: 'import_session' }]) {
      const { args, as } = await sampleOf(app, name)
      const { status, body } = await call(app, name, withSecret(args, app.kernel.find(name)?.texts ?? []), as)
      t.equal(status, 200, `${name} ${JSON.stringify(body)}`)
      t.match(body.warnings, [/token of GitHub|github_token/], name)
      if (mode === 'mask') t.notMatch(JSON.stringify(body), secret, name)
    }
    const found = await tablesWith(app, secret)
    if (mode === 'mask') t.same(found, [], 'in no table')
    else
      t.same(
        ['public.agent_memory', 'public.messages', 'public.sessions', 'public.tasks'].filter(
          name => !found.includes(name)
        ),
        [],
        'it is stored'
      )
    t.notOk(found.includes('public.audit_log'), 'the audit log never holds it')
    t.notMatch(JSON.stringify(app.logged), secret, 'nor does the log')
    const { rows } = await sql<{ action: string; metadata: any }>`
      select action, metadata from audit_log where metadata ? 'redaction'`.execute(app.database.db)
    t.same(
      writers.map(({ name }) => name).filter(name => !rows.some(({ action }) => action === name)),
      [],
      'each has an audit row that says so'
    )
    for (const { metadata } of rows) t.match(metadata, { redaction: mode, secrets: { github_token: Number } })
    const page = (await app.server.inject('/metrics')).body
    t.match(page, /^secrets_found_total\{kind="github_token"\} [1-9]/m)
    t.notMatch(page, secret)
  })

t.test('masked before it is indexed or told to anybody; the same request twice answers the same', async t => {
  const app = await startApp(t, { REDACTION: 'mask' })
  const session_id = await newSession(app)
  const waiting = ok(app, 'wait_for_messages', { session_id, after_seq: 0, timeout_seconds: 20 }, { agent_id: 'b' })
  const args = { session_id, content: `The zebra is ${secret}`, idempotency_key: 'once' }
  const first = await ok(app, 'add_message', args)
  const again = await ok(app, 'add_message', args)
  t.same(again, first, 'the warning too')
  t.match(first.warnings, [/'content' holds what looks like a token of GitHub. It was replaced/])
  t.equal((await waiting).messages[0].content, 'The zebra is [redacted:github_token]')
  t.equal((await ok(app, 'search_context', { session_id, query: 'zebra' })).results[0].message.id, first.message_id)
  t.same((await ok(app, 'search_context', { session_id, query: secret.slice(4) })).results, [])
  t.same((await ok(app, 'get_messages', { session_id })).count, 1)
})

t.test('what is no text of an agent is left alone: credentials above all', async t => {
  const app = await startApp(t, { REDACTION: 'mask' })
  const { token } = await ok(
    app,
    'authenticate_agent',
    { agent_id: 'a', agent_type: 'custom', api_key: API_KEY },
    { anonymous: true }
  )
  t.match(token, /^eyJ/)
  const renewed = await ok(app, 'refresh_token', { current_token: token }, { token })
  t.notOk('warnings' in renewed)
  await ok(app, 'create_api_key', { agent_id: 'b', agent_type: 'custom' }, ADMIN)
})

t.test('the command that imports a session looks too', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  await ok(app, 'add_message', { session_id, content: `imported ${secret}` })
  const { ndjson } = await ok(app, 'export_session', { session_id }, ADMIN)
  const { code, stdout } = await runToEnd(['session', 'import', '-'], environment(app.url, { REDACTION: 'mask' }), {
    input: ndjson
  })
  t.equal(code, 0)
  const { messages } = await ok(app, 'get_messages', { session_id: stdout.trim() }, ADMIN)
  t.equal(messages[0].content, 'imported [redacted:github_token]')
  const { rows } = await sql<{ metadata: any }>`
    select metadata from audit_log where action = 'session import'`.execute(app.database.db)
  t.match(rows[0]?.metadata, { redaction: 'mask', secrets: { github_token: 1 } })
})

t.test('off, as it is by default: nothing is looked at, and nothing said', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  t.notOk('warnings' in (await ok(app, 'add_message', { session_id, content: secret })))
  t.equal((await ok(app, 'get_messages', { session_id })).messages[0].content, secret)
})

/**
 * Ids, names and words of a list: nobody reads them as text, and a call must find again what it names by them. The
 * expires_at of leases is not kept.
 */
const NO_TEXT = new Set([
  ...['session_id', 'task_id', 'lease_token', 'idempotency_key', 'key', 'key_id', 'ref', 'expires_at'],
  ...['namespace', 'name', 'names', 'holder', 'prefix', 'op', 'state'],
  ...['visibility', 'agent_id', 'agent_type', 'sender', 'to', 'readers', 'writers'],
  ...['depends_on', 'workspace', 'api_key', 'token', 'current_token', 'permissions', 'requested_permissions'],
  ...['sessions', 'ndjson', 'cursor']
])

t.test('every other argument that takes text is marked', async t => {
  const left: string[] = []
  const look = (tool: string, { properties }: TObject, marked: readonly TextArgument[]) => {
    for (const [name, schema] of Object.entries<TSchema>(properties)) {
      const of = marked.find(each => each.name === name)
      if (of !== undefined && of.items === undefined) continue
      if (schema.items?.type === 'object') look(`${tool}/${name}`, schema.items as TObject, of?.items ?? [])
      else if (/"(string|object)"|"anyOf"/.test(JSON.stringify(schema)) && !NO_TEXT.has(name) && !('enum' in schema))
        left.push(`${tool} ${name}`)
    }
  }
  const app = await startApp(t)
  for (const { effect, name, input } of tools)
    if (effect !== 'reads') look(name, input, app.kernel.find(name)?.texts ?? [])
  t.same(left, [])
})
