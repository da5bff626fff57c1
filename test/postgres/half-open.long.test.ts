import t, { type Test } from 'tap'
import { call, newSession, startApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { administer } from '../support/database.js'
import { openProxy, type Proxy } from '../support/proxy.js'

t.jobs = 2

/** An app with connections that are open and carry nothing any more. */
async function halfOpen(t: Test): Promise<{ proxy: Proxy; waits: () => Promise<number[]> }> {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const proxy = await openProxy(t, url)
  const app = await startApp(t, { STATEMENT_TIMEOUT_MS: '60000', DATABASE_POOL_MAX: '4' }, { url: proxy.url })
  const session_id = await newSession(app)
  await Promise.all(Array.from({ length: 8 }, () => call(app, 'get_messages', { session_id })))
  proxy.mode = 'hole'
  return {
    proxy,
    /** Has eight callers call. @returns how many milliseconds each has waited for its answer */
    waits: () =>
      Promise.all(
        Array.from({ length: 8 }, async () => {
          const began = performance.now()
          const { status } = await call(app, 'get_messages', { session_id })
          t.ok(status === 200 || status === 503)
          return performance.now() - began
        })
      )
  }
}

const longest = (t: Test, waits: number[]) => {
  const most = Math.round(Math.max(...waits))
  t.comment(`the longest wait: ${most} ms`)
  return most
}

// The goal is that no caller waits for more than 5 s; the comment of the test says how long one did. The bound leaves
// room for a busy machine: what it excludes are the 62 s that a statement has.
t.test('connections that die without a word cost callers some seconds', async t => {
  const { proxy, waits } = await halfOpen(t)
  const calling = waits()
  await new Promise(resolve => setTimeout(resolve, 500))
  proxy.mode = 'pass'
  t.ok(longest(t, await calling) < 20_000, 'not the 62 s that a statement has')
  t.ok((await waits()).length === 8)
})

t.test('nor where no new connection can be made either', async t => {
  const { proxy, waits } = await halfOpen(t)
  // Who holds a dead connection has 5 s; who waits for a place in the pool, or for a new connection, has as long again.
  t.ok(longest(t, await waits()) < 30_000)
  proxy.mode = 'pass'
  await waits()
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
