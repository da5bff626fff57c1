import t from 'tap'
import { call, newSession, startApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { openProxy } from '../support/proxy.js'
import { administer } from '../support/database.js'

t.test('connections that die without a word cost no caller the time that a statement may take', async t => {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const proxy = await openProxy(t, url)
  const app = await startApp(t, { STATEMENT_TIMEOUT_MS: '60000', DATABASE_POOL_MAX: '4' }, { url: proxy.url })
  const session_id = await newSession(app)
  await Promise.all(Array.from({ length: 8 }, () => call(app, 'get_messages', { session_id })))
  proxy.mode = 'hole'
  const began = performance.now()
  const calling = Promise.all(Array.from({ length: 8 }, () => call(app, 'get_messages', { session_id })))
  await new Promise(resolve => setTimeout(resolve, 500))
  proxy.mode = 'pass'
  for (const { status } of await calling) t.ok(status === 200 || status === 503)
  const took = performance.now() - began
  t.comment(`${Math.round(took)} ms`)
  t.ok(took < 30_000, 'not the 62 s that a statement has')
  t.equal((await call(app, 'get_messages', { session_id })).status, 200)
})

t.test('a statement that takes long is let alone', async t => {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const app = await startApp(t, { STATEMENT_TIMEOUT_MS: '60000' }, { url })
  const session_id = await newSession(app)
  const locking = administer(
    url,
    'begin',
    'lock table messages in access exclusive mode',
    'select pg_sleep(6)',
    'commit'
  )
  await new Promise(resolve => setTimeout(resolve, 300))
  t.equal((await call(app, 'get_messages', { session_id })).status, 200)
  await locking
})
