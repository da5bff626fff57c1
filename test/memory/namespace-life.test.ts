import t from 'tap'
import { sql } from 'kysely'
import { eraseAgents } from '../../src/lifecycle/store/erased-agents.js'
import { acrossWorkspaces } from '../../src/postgres/scope.js'
import { type As, call, ok, startApp } from '../helper.js'
import { openService } from '../support/database.js'
import { isFailure } from '../support/failure.js'
import { pagesOf } from '../support/pages.js'

/** Namespaces of memory: listing them, what they count as, and how they end. Who may do what: namespaces.test.ts. */

const app = await startApp(t)

const OWNER: As = { agent_id: 'owner' }
const ADMIN: As = { agent_id: 'root', admin: true }
const STRANGER: As = { agent_id: 'stranger', agent_type: 'nobody' }
const READER: As = { agent_id: 'reader' }
const WRITER: As = { agent_id: 'writer' }

t.test('list_namespaces: pages, prefix, suffix, depth', async t => {
  const as = { agent_id: 'lister' }
  const made = ['l', 'l!', 'l!/a', 'l/a', 'l/a/x', 'l/b', 'l/b/x', 'l/b/y/z', 'lx/a']
  for (const namespace of made) await ok(app, 'set_memory', { namespace, key: 'k', value: 1 }, as)
  const ask = (tool: string, args: object) => ok(app, tool, args, as)
  const names = async (args: object) =>
    (await pagesOf(ask, 'list_namespaces', { ...args })).flatMap(page =>
      page.namespaces.map((one: any) => one.namespace)
    )
  const all = await names({})
  t.same([...all].sort(), [...made, 'lx'].sort())
  for (const limit of [1, 2, 3]) t.same(await names({ limit }), all, `${limit} a page`)
  t.same(await names({ prefix: 'l/', limit: 2 }), ['l/a', 'l/a/x', 'l/b', 'l/b/x', 'l/b/y/z'])
  t.same(await names({ prefix: 'l/b', limit: 1 }), ['l/b', 'l/b/x', 'l/b/y/z'])
  t.same(await names({ suffix: '/x', limit: 1 }), ['l/a/x', 'l/b/x'])
  t.same((await names({ depth: 1, limit: 1 })).sort(), ['l', 'l!', 'lx'])
  t.same(await names({ depth: 2, prefix: 'l/', limit: 1 }), ['l/a', 'l/b'])
  await ok(app, 'delete_memory', { namespace: 'l/b/y/z', key: 'k' }, as)
  t.notOk((await names({})).includes('l/b/y/z'), 'without values and rights of its own it is none')
  t.same((await ok(app, 'list_namespaces', { prefix: 'l' }, STRANGER)).namespaces, [])
  const { next_cursor } = await ask('list_namespaces', { limit: 1 })
  for (const args of [
    { cursor: 'x' },
    { cursor: next_cursor, prefix: 'l' },
    { depth: 0 },
    { depth: 9 },
    { prefix: 'a\n' }
  ])
    isFailure(t, await call(app, 'list_namespaces', args, as), 'INVALID_INPUT', JSON.stringify(args))
})

t.test('a namespace counts as memory of its owner', async t => {
  const small = await startApp(t, { QUOTA_MEMORY_ENTRIES: '3' })
  await ok(small, 'set_namespace', { namespace: 'q', readers: [], writers: ['*'] }, OWNER)
  await ok(small, 'set_memory', { namespace: 'q', key: 'a', value: 1 }, WRITER)
  await ok(small, 'set_memory', { namespace: 'q', key: 'b', value: 1 }, READER)
  for (const as of [WRITER, OWNER])
    isFailure(t, await call(small, 'set_memory', { namespace: 'q', key: 'c', value: 1 }, as), 'QUOTA_EXCEEDED')
  isFailure(t, await call(small, 'set_memory', { key: 'own', value: 1 }, OWNER), 'QUOTA_EXCEEDED')
  await ok(small, 'set_memory', { key: 'own', value: 1 }, WRITER)
  await ok(small, 'delete_memory', { namespace: 'q', prefix: 'a' }, WRITER)
  const together = await Promise.all(
    ['x', 'y', 'z'].map(key => call(small, 'set_memory', { namespace: 'q', key, value: 1 }, WRITER))
  )
  t.equal(together.filter(({ status }) => status === 200).length, 1, 'exactly as many as it may')
})

t.test('erasure: what is shared stays under a pseudonym, what is not goes', async t => {
  const as = { agent_id: 'leaver' }
  await ok(app, 'set_memory', { key: 'own', value: 1 }, as)
  await ok(app, 'set_memory', { namespace: 'leaver-alone/x', key: 'k', value: 1 }, as)
  await ok(app, 'set_namespace', { namespace: 'leaver-shared', readers: [], writers: ['writer'] }, as)
  for (const [key, who] of [
    ['by leaver', as],
    ['by writer', WRITER]
  ] as const)
    await ok(app, 'set_memory', { namespace: 'leaver-shared', key, value: 1 }, who)
  await ok(app, 'set_memory', { namespace: 'leaver-shared', key: 'by writer', value: 2 }, as)
  await ok(app, 'set_memory', { namespace: 'leaver-shared', key: 'by writer', value: 3 }, WRITER)
  await ok(app, 'set_namespace', { namespace: 'others', readers: [], writers: ['leaver'] }, OWNER)
  await ok(app, 'set_memory', { namespace: 'others', key: 'k', value: 'of leaver' }, as)

  const { pseudonym, deleted_memory } = await ok(app, 'erase_agent', { agent_id: 'leaver' }, ADMIN)
  t.equal(deleted_memory, 2)
  t.match(await ok(app, 'get_memory', { namespace: 'leaver-shared', key: 'by leaver' }, WRITER), {
    value: 1,
    updated_by: pseudonym
  })
  const { versions } = await ok(app, 'memory_history', { namespace: 'leaver-shared', key: 'by writer' }, WRITER)
  t.same(
    versions.map(({ value, changed_by }: any) => [value, changed_by]),
    [
      [3, 'writer'],
      [1, 'writer']
    ]
  )
  t.match(await ok(app, 'get_memory', { namespace: 'others', key: 'k' }, OWNER), {
    value: 'of leaver',
    updated_by: pseudonym
  })
  await ok(app, 'set_memory', { namespace: 'leaver-shared', key: 'by leaver', value: 2 }, WRITER)
  // Who comes with the name later begins anew.
  isFailure(t, await call(app, 'set_memory', { namespace: 'others', key: 'k', value: 1 }, as), 'PERMISSION_DENIED')
  isFailure(t, await call(app, 'get_memory', { namespace: 'leaver-shared', key: 'by writer' }, as), 'MEMORY_NOT_FOUND')
  await ok(app, 'set_memory', { namespace: 'leaver-alone/x', key: 'k', value: 'free' }, STRANGER)
  const service = openService(t, app.url, { max: 2 }).db
  await eraseAgents(acrossWorkspaces(service), () => {})
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from (
    select owner from memory_namespaces where 'leaver' in (owner) or 'leaver' = any(readers || writers)
    union all select key from memory_history where 'leaver' in (changed_by, agent_id)) found`.execute(app.database.db)
  t.equal(rows[0]?.n, 0)
  const usage = await sql<{ wrong: number }>`select count(*)::int as wrong from memory_usage u
    where u.bytes <> coalesce((select sum(memory_bytes(value_size, key, metadata)) from agent_memory m
        where m.workspace = u.workspace and m.agent_id = u.agent_id), 0)
      + coalesce((select sum(value_size + octet_length(key)) from memory_history h
        where h.workspace = u.workspace and h.agent_id = u.agent_id), 0)
      + coalesce((select sum(octet_length(path)) from memory_namespaces n
        where n.workspace = u.workspace and n.owner = u.agent_id), 0)`.execute(app.database.db)
  t.equal(usage.rows[0]?.wrong, 0, 'what is counted is what there is')
})

t.test('workspaces have namespaces of their own', async t => {
  const { api_key } = await ok(
    app,
    'create_api_key',
    { agent_id: '*', agent_type: 'custom', workspace: 'elsewhere' },
    { admin: true }
  )
  const there: As = { anonymous: true, headers: { 'x-api-key': api_key, 'x-agent-id': 'owner' } }
  await ok(app, 'set_memory', { namespace: 'team', key: 'shared', value: 'theirs' }, there)
  t.equal((await ok(app, 'get_memory', { namespace: 'team', key: 'shared' }, there)).value, 'theirs')
  t.same(
    (await ok(app, 'list_namespaces', {}, there)).namespaces.map((one: any) => one.namespace),
    ['team']
  )
})
