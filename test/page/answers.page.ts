import t from 'tap'
import { newSession } from '../helper.js'
import { needs } from '../support/programs.js'
import { closeBrowser, startWithPage } from './browser.js'

/** What the page does with answers that no service should give: a proxy's, or those of another version. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

const BODIES = ['{}', 'null', '[]', '{"tasks":[null]}', '<html>502</html>', '{"tasks":"x","has_more":false}', '']

t.test('answers of no sense are said to be so, and the rest of the page lives on', BROWSER, async t => {
  const { app, url, page } = await startWithPage(t)
  await newSession(app, {}, 'still here')
  for (const body of BODIES)
    for (const status of [200, 404]) {
      await page.route('**/mcp/tool/list_tasks', route =>
        route.fulfill({ status, body, headers: { 'content-type': 'application/json' } })
      )
      await page.goto(`${url}/app/#/tasks`)
      await page.getByRole('alert').waitFor({ timeout: 10_000 })
      t.not(await page.getByRole('alert').textContent(), '', `${status} ${body}`)
      await page.getByRole('link', { name: 'Sessions' }).click()
      await page.getByRole('link', { name: 'still here' }).waitFor()
      await page.unroute('**/mcp/tool/list_tasks')
    }
  await page.goto(`${url}/app/#/tasks`)
  await page.getByText('There are no tasks yet.').waitFor()
  t.equal(await page.getByRole('alert').count(), 0)
})
