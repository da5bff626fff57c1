import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { environment, listen, newSession, ok, runProgram, startApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { needs } from '../support/programs.js'
import { post, until } from '../support/rest.js'
import { closeBrowser, openTab, signIn, startWithPage, write } from './browser.js'

/** The page where it is really run: replicas, restarts, proxies, and rights that end. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

t.test('what is written on another replica comes too', BROWSER, async t => {
  const { app, url, page } = await startWithPage(t)
  const other = await startApp(t, {}, { url: app.url })
  const session_id = await newSession(app)
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.getByText('Nothing has been said').waitFor()
  await write(other, session_id, 'from the other replica', { agent_id: 'ada' })
  await page.getByText('from the other replica').waitFor()
})

t.test('a restart of the service: the page says so, and comes back by itself', BROWSER, async t => {
  const { url: database_url, drop } = await createDatabase()
  t.teardown(drop)
  const first = await runProgram(t, ['serve'], environment(database_url))
  const { port } = new URL(first.url)
  const { session_id } = await post(first.url, 'create_session', { purpose: 'through a restart' })
  const { page, watched } = await openTab(t, first.url)
  await signIn(page, first.url)
  await page.goto(`${first.url}/app/#/sessions/${session_id}`)
  await page.locator('.live-live').waitFor()
  await post(first.url, 'add_message', { session_id, content: 'before' })
  await page.getByText('before').waitFor()
  await first.stop('SIGKILL')
  await page.getByText('Connection lost').waitFor()
  const second = await runProgram(t, ['serve'], environment(database_url, { PORT: port }))
  await post(second.url, 'add_message', { session_id, content: 'after the restart' })
  await page.getByText('after the restart').waitFor()
  await page.locator('.live-live').waitFor()
  t.same(await page.locator('.message .content').allTextContents(), ['before', 'after the restart'])
  t.same(watched.faults, [])
})

t.test('a token that ends, and rights that are taken away', BROWSER, async t => {
  const { app, url, page } = await startWithPage(t)
  const session_id = await newSession(app)
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.locator('.live-live').waitFor()
  await ok(app, 'revoke_token', { agent_id: 'person' }, { admin: true })
  await page.getByText('You were signed out').waitFor()

  const { api_key, key_id } = await ok(
    app,
    'create_api_key',
    { agent_id: 'reader', agent_type: 'human', permissions: ['read'] },
    { admin: true }
  )
  await signIn(page, url, { key: api_key, name: 'reader' })
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.locator('.live-live').waitFor()
  t.equal(
    await page.getByRole('textbox', { name: 'Message' }).count(),
    0,
    'who may only read is offered nothing to write'
  )
  await ok(app, 'revoke_api_key', { key_id }, { admin: true })
  await page.getByText('You were signed out').waitFor()
})

t.test('tokens that live shorter than the tab are renewed', BROWSER, async t => {
  const { app, url, page } = await startWithPage(t, { JWT_EXPIRES_IN: '6' })
  const session_id = await newSession(app)
  const first = await page.evaluate<string>("sessionStorage['shared-context.identity']")
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await until(
    'the token is another one',
    async () => (await page.evaluate("sessionStorage['shared-context.identity']")) !== first
  )
  await page.waitForTimeout(7000)
  await write(app, session_id, 'still here', { agent_id: 'ada' })
  await page.getByText('still here').waitFor()
})

t.test('behind a path of a proxy', BROWSER, async t => {
  const app = await startApp(t)
  const url = new URL(await listen(app))
  const proxy = createServer((incoming, outgoing) => {
    const path = incoming.url?.startsWith('/tools/context/') ? incoming.url.slice('/tools/context'.length) : undefined
    if (path === undefined) {
      outgoing.writeHead(404).end()
      return
    }
    const { method, headers } = incoming
    incoming.pipe(
      request({ host: url.hostname, port: url.port, path, method, headers }, answer => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
        outgoing.on('close', () => answer.destroy())
      })
    )
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const front = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/tools/context`
  const { page, watched } = await openTab(t, front)
  await page.goto(`${front}/`)
  await page.waitForURL(`${front}/app/`)
  await page.goto(`${front}/app`)
  await page.waitForURL(`${front}/app/`)
  await signIn(page, front)
  const session_id = await newSession(app, {}, 'behind a proxy')
  await page.getByRole('link', { name: 'behind a proxy' }).click()
  await page.getByText('Nothing has been said').waitFor()
  await write(app, session_id, 'through the proxy', { agent_id: 'ada' })
  await page.getByText('through the proxy').waitFor()
  t.same(watched, { faults: [], failedRequests: [] })
})
