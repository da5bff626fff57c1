import t from 'tap'
import type { App } from '../../src/app.js'
import { type As, call, newSession, ok, startApp } from '../helper.js'
import { token } from '../support/samples.js'
import { isFailure } from '../support/failure.js'

/** Memory that agents share: who may do what in which namespace. */

const app = await startApp(t)

const OWNER: As = { agent_id: 'owner' }
const ADMIN: As = { agent_id: 'root', admin: true }
const STRANGER: As = { agent_id: 'stranger', agent_type: 'nobody' }
const READER: As = { agent_id: 'reader' }
const WRITER: As = { agent_id: 'writer' }
const BY_TYPE_R: As = { agent_id: 'some-auditor', agent_type: 'auditor' }
const BY_TYPE_W: As = { agent_id: 'some-editor', agent_type: 'editor' }

const WHO: Array<[name: string, as: As, reads: boolean, writes: boolean, owns: boolean]> = [
  ['owner', OWNER, true, true, true],
  ['admin', ADMIN, true, true, true],
  ['reader', READER, true, false, false],
  ['writer', WRITER, true, true, false],
  ['reader by type', BY_TYPE_R, true, false, false],
  ['writer by type', BY_TYPE_W, true, true, false],
  ['stranger', STRANGER, false, false, false]
]

await ok(
  app,
  'set_namespace',
  { namespace: 'team', readers: ['reader', 'type:auditor'], writers: ['writer', 'type:editor'] },
  OWNER
)

for (const namespace of ['team', 'team/plans', 'team/plans/deep'])
  for (const [name, as, reads, writes, owns] of WHO)
    t.test(`${name} in ${namespace}`, async t => {
      const at = { namespace, key: 'shared' }
      const absent = { namespace: 'no-such-root/plans', key: 'shared' }
      await ok(app, 'set_memory', { ...at, value: { n: 1, text: 'needle' }, expires_in: 1000 }, OWNER)
      const { version } = await ok(
        app,
        'set_memory',
        { ...at, value: { n: 2, text: 'needle' }, expires_in: 1000 },
        OWNER
      )

      /** What a tool answers, but for what differs from call to call. */
      const said = async (tool: string, args: object, caller = as, on: App = app) => {
        const { body } = await call(on, tool, args, caller)
        const { timestamp: _, request_id: __, scope_filter: ___, namespace: ____, ...rest } = body
        return rest
      }
      const reading: Array<[tool: string, args: Record<string, unknown>]> = [
        ['get_memory', { key: 'shared' }],
        ['list_memory', {}],
        ['list_memory', { include_values: true, filter: { n: 2 }, order: 'key' }],
        ['search_memory', { query: 'needle' }],
        ['memory_history', { key: 'shared' }]
      ]
      for (const [tool, args] of reading) {
        const here = await said(tool, { ...args, namespace })
        if (reads) {
          t.equal(here.success, true, tool)
          t.ok((here.count ?? 1) >= 1, `${tool} finds it`)
        } else t.same(here, await said(tool, { ...args, namespace: absent.namespace }), `${tool}: as if it were absent`)
      }
      const got = await said('batch_memory', { operations: [{ op: 'get', ...at }] })
      t.equal(got.results[0].found, reads)
      const listed = await said('batch_memory', { operations: [{ op: 'list', namespace }] })
      t.equal(listed.results[0].count > 0, reads)
      const names = (await ok(app, 'list_namespaces', {}, as)).namespaces.map((one: any) => one.namespace)
      t.equal(names.includes(namespace), reads, 'list_namespaces')

      const writing: Array<[tool: string, args: Record<string, unknown>]> = [
        ['set_memory', { ...at, value: 3, if_version: version }],
        ['set_memory', { ...at, value: 3, expires_in: 1000 }],
        ['set_memory', { namespace, key: 'new', value: 1 }],
        ['update_memory', { namespace, key: 'n', op: 'increment', value: 1 }],
        ['batch_memory', { operations: [{ op: 'set', namespace, key: 'b', value: 1 }] }]
      ]
      if (reads)
        writing.push(
          ['delete_memory', { namespace, key: 'none' }],
          ['delete_memory', { namespace, prefix: 'none' }],
          ['batch_memory', { operations: [{ op: 'delete', namespace, key: 'none' }] }],
          ['get_memory', { ...at, touch: true }],
          ['list_memory', { namespace, touch: true }]
        )
      for (const [tool, args] of writing) {
        const answer = await call(app, tool, args, as)
        if (writes) t.equal(answer.status, 200, `${tool} ${JSON.stringify(answer.body)}`)
        else isFailure(t, answer, 'PERMISSION_DENIED', tool)
      }
      if (!reads)
        for (const more of [{ key: 'shared' }, { prefix: 'sh' }])
          t.same(
            await said('delete_memory', { namespace, ...more }),
            await said('delete_memory', { namespace: absent.namespace, ...more }),
            'delete_memory: as if it were absent'
          )
      const rights = { namespace, readers: ['reader', 'type:auditor'], writers: ['writer', 'type:editor'] }
      const set = await call(app, 'set_namespace', rights, as)
      if (owns) t.match(set.body, { success: true, owner: /./, readers: rights.readers })
      else isFailure(t, set, 'PERMISSION_DENIED')
    })

t.test('the first write makes a namespace, private to who wrote', async t => {
  const at = { namespace: 'mine/notes', key: 'k' }
  const stored = await ok(app, 'set_memory', { ...at, value: 1 }, READER)
  t.match(stored, { scope: 'namespace', namespace: 'mine/notes', session_scoped: false })
  t.match(await ok(app, 'get_memory', at, READER), { value: 1, namespace: 'mine/notes', updated_by: 'reader' })
  isFailure(t, await call(app, 'get_memory', at, WRITER), 'MEMORY_NOT_FOUND')
  isFailure(t, await call(app, 'set_memory', { ...at, value: 2 }, WRITER), 'PERMISSION_DENIED')
  isFailure(t, await call(app, 'set_memory', { namespace: 'mine', key: 'k', value: 2 }, WRITER), 'PERMISSION_DENIED')
  t.match(await ok(app, 'set_namespace', { namespace: 'mine', readers: ['*'], writers: [] }, READER), {
    owner: 'reader',
    created: false
  })
  t.match(await ok(app, 'get_memory', at, STRANGER), { value: 1 }, '* is everybody, and reaches down')
  isFailure(t, await call(app, 'set_memory', { ...at, value: 2 }, STRANGER), 'PERMISSION_DENIED')
  await ok(app, 'set_namespace', { namespace: 'mine', readers: [], writers: [] }, READER)
  isFailure(t, await call(app, 'get_memory', at, STRANGER), 'MEMORY_NOT_FOUND', 'a right ends at once')
})

t.test('a write that fails makes no namespace', async t => {
  for (const args of [{ if_version: 7 }, { session_id: await newSession(app) }])
    t.not((await call(app, 'set_memory', { namespace: 'failed', key: 'k', value: 1, ...args })).status, 200)
  const bad = { op: 'set', namespace: 'failed', key: 'k', value: 1, if_version: 7 }
  isFailure(t, await call(app, 'batch_memory', { operations: [bad] }), 'VERSION_CONFLICT')
  t.same((await ok(app, 'list_namespaces', { prefix: 'failed' }, ADMIN)).namespaces, [])
})

t.test('one of many who write first owns a namespace', async t => {
  const other = await startApp(t, {}, { url: app.url })
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      call(
        i % 2 ? app : other,
        'set_memory',
        { namespace: 'land', key: `k${i}`, value: i },
        { agent_id: `settler-${i}` }
      )
    )
  )
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  for (const answer of answers) if (answer.status !== 200) isFailure(t, answer, 'PERMISSION_DENIED')
})

t.test('below a namespace only its owner and admins set rights, and rights only add up', async t => {
  await ok(app, 'set_namespace', { namespace: 'house', readers: [], writers: ['writer'] }, OWNER)
  isFailure(
    t,
    await call(app, 'set_namespace', { namespace: 'house/room', readers: [], writers: [] }, WRITER),
    'PERMISSION_DENIED',
    'a writer does not'
  )
  await ok(app, 'set_namespace', { namespace: 'house/room', readers: ['stranger'], writers: [] }, OWNER)
  await ok(app, 'set_memory', { namespace: 'house/room', key: 'k', value: 1 }, WRITER)
  await ok(app, 'set_memory', { namespace: 'house', key: 'k', value: 1 }, OWNER)
  t.match(await ok(app, 'get_memory', { namespace: 'house/room', key: 'k' }, STRANGER), { value: 1 })
  isFailure(t, await call(app, 'get_memory', { namespace: 'house', key: 'k' }, STRANGER), 'MEMORY_NOT_FOUND')
  const listed = await ok(app, 'list_namespaces', { prefix: 'house' }, STRANGER)
  t.match(listed.namespaces, [{ namespace: 'house/room', owner: 'owner', readers: ['stranger'] }])
  t.same(
    (await ok(app, 'list_namespaces', { prefix: 'house', depth: 1 }, STRANGER)).namespaces,
    [{ namespace: 'house', owner: null, readers: [], writers: [] }],
    'what is cut off says nothing of the rights above'
  )
})

t.test('names', async t => {
  const set = async (namespace: string) =>
    call(app, 'set_memory', { namespace, key: 'k', value: 1 }, { agent_id: 'namer' })
  const names = ['é/한글', 'a b', 'x'.repeat(100), Array(8).fill('p').join('/'), 'session_0123456789abcdef']
  for (const namespace of names) t.equal((await set(namespace)).status, 200, namespace.slice(0, 20))
  const nfd = 'é/한글'.normalize('NFD')
  t.equal((await ok(app, 'get_memory', { namespace: nfd, key: 'k' }, { agent_id: 'namer' })).namespace, 'é/한글')
  for (const namespace of ['/', 'a/', '/a', 'a//b', 'x'.repeat(101), Array(9).fill('p').join('/'), 'a\nb', 'a\u200bb'])
    isFailure(t, await set(namespace), 'INVALID_INPUT', JSON.stringify(namespace).slice(0, 30))
  const both = { namespace: 'a', session_id: await newSession(app), key: 'k' }
  isFailure(t, await call(app, 'get_memory', both), 'INVALID_INPUT', 'a session and a namespace')
  for (const readers of [['type:'], [' a'], ['a\nb'], ['x'.repeat(101)], Array(101).fill('a'), [1], 'all'])
    isFailure(t, await call(app, 'set_namespace', { namespace: 'a', readers, writers: [] }), 'INVALID_INPUT')
})

t.test('own memory and namespaces are apart', async t => {
  const as = { agent_id: 'apart' }
  for (const where of [{}, { namespace: 'apart' }, { namespace: 'apart/below' }])
    await ok(app, 'set_memory', { key: 'k', value: JSON.stringify(where), ...where }, as)
  t.equal((await ok(app, 'list_memory', { session_id: 'all' }, as)).count, 1)
  t.equal((await ok(app, 'list_memory', { namespace: 'apart' }, as)).count, 1, 'not what is below')
  t.equal((await ok(app, 'search_memory', { query: 'below', fuzzy_threshold: 0 }, as)).count, 0)
  t.equal((await ok(app, 'search_memory', { query: 'k', namespace: 'apart', fuzzy_threshold: 0 }, as)).count, 2)
  isFailure(t, await call(app, 'get_memory', { key: 'k', session_id: '/apart/' }, as), 'SESSION_NOT_FOUND')
  const { session_id } = await ok(app, 'create_session', { purpose: 'p' })
  await ok(app, 'set_memory', { namespace: session_id, key: 'k', value: 'stays' }, as)
  await ok(app, 'delete_session', { session_id })
  t.equal((await ok(app, 'get_memory', { namespace: session_id, key: 'k' }, as)).value, 'stays')
})

t.test('credentials that are limited to sessions reach no namespace', async t => {
  const session_id = await newSession(app)
  const { token: narrow } = await ok(
    app,
    'create_token',
    { agent_id: 'owner', sessions: [session_id] },
    { token: await token(app, 'owner') }
  )
  for (const namespace of ['team', 'no-such-root'])
    for (const [tool, args] of [
      ['get_memory', { key: 'shared' }],
      ['list_memory', {}],
      ['set_memory', { key: 'k', value: 1 }],
      ['delete_memory', { key: 'k' }],
      ['set_namespace', { readers: [], writers: [] }]
    ] as const)
      isFailure(t, await call(app, tool, { ...args, namespace }, { token: narrow }), 'PERMISSION_DENIED', tool)
  isFailure(t, await call(app, 'list_namespaces', {}, { token: narrow }), 'PERMISSION_DENIED')
})

t.test('a caller who may only read renews nothing', async t => {
  const reader = await token(app, 'owner', ['read'])
  t.equal((await call(app, 'get_memory', { namespace: 'team', key: 'shared' }, { token: reader })).status, 200)
  for (const [tool, args] of [
    ['get_memory', { key: 'shared', touch: true }],
    ['list_memory', { touch: true }]
  ] as const)
    isFailure(t, await call(app, tool, { ...args, namespace: 'team' }, { token: reader }), 'PERMISSION_DENIED')
})
