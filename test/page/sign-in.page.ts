import type { Route } from 'playwright-core'
import t from 'tap'
import { listen, startApp } from '../helper.js'
import { needs } from '../support/programs.js'
import { until } from '../support/until.js'
import { closeBrowser, openTab, signIn } from './browser.js'

/** The link that `npm start` prints, in a browser. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

t.test('the link signs in once, and stays in no address', BROWSER, async t => {
  const app = await startApp(t)
  const url = await listen(app)
  const link = () => `${url}/app/#sign-in=${app.server.makeSignInCode?.()}`
  const { page, watched } = await openTab(t, url)
  const who = async () => {
    await page.getByRole('heading', { name: 'Sessions' }).waitFor()
    const { agent_id, permissions } = JSON.parse(await page.evaluate("sessionStorage['shared-context.identity']"))
    return { agent_id, permissions, address: page.url() }
  }
  const person = { agent_id: 'person', permissions: ['read', 'write'], address: `${url}/app/#/` }
  const first = link()
  await page.goto(first)
  t.same(await who(), person)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  t.equal(await page.getByText('You were signed out').count(), 0, 'nobody is told what they did themselves')

  t.comment('a tab that has the page already loads nothing when a link is put into its address')
  await page.goto(first)
  await page.getByText(/^The link does not sign in any more/).waitFor()
  t.equal(page.url(), `${url}/app/#/`)
  await page.goto(link())
  t.match(await who(), person)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await signIn(page, url, { name: 'somebody else' })
  await page.goto(link())
  await page.getByRole('banner').getByText('person').waitFor()
  t.match(await who(), person)

  t.comment('a call that was under way when one signed out is told to nobody when it fails')
  const underWay: Route[] = []
  await page.route('**/mcp/tool/list_agents', route => void underWay.push(route))
  await page.getByRole('link', { name: 'Agents' }).click()
  await until(() => underWay.length > 0, 'a call')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  const ended = { success: false, code: 'TOKEN_REVOKED', error: 'This token has been revoked.' }
  for (const route of underWay.splice(0)) {
    await route.fulfill({ status: 401, json: ended })
    await (await route.request().response())?.finished()
  }
  // What the page does with the answer is done when it has shown two further pictures.
  await page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
  t.equal(await page.getByText('You were signed out').count(), 0)
  await page.unroute('**/mcp/tool/list_agents')
  await page.goto(link())
  await page.getByRole('banner').getByText('person').waitFor()

  t.comment('a link that is spent changes nothing for whoever has signed in, and says so')
  await page.goto(first)
  await page.getByText(/does not sign in any more/).waitFor()
  await page.getByText('You are signed in as before.').waitFor()
  t.match(await who(), person)
  await page.getByRole('button', { name: 'Close', exact: true }).click()
  t.equal(await page.getByText(/does not sign in any more/).count(), 0)

  t.comment('it is not lost where the screen is shown anew before the browser tells of it')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await signIn(page, url, { name: 'somebody else' })
  await page.evaluate(`
    location.href = '${link()}'
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }))`)
  await page.getByRole('banner').getByText('person').waitFor()
  t.match(await who(), person)
  for (let back = 0; back < 4; back++) {
    await page.goBack().catch(() => null)
    t.notMatch(page.url(), /sign-in/)
  }
  t.same(watched.faults, [])
})
