import t from 'tap'
import { newSession, type TestApp } from '../helper.js'
import { administer } from '../support/database.js'
import { needs } from '../support/programs.js'
import { closeBrowser, ok, startWithPage, write } from './browser.js'

/** How much is written in the sessions in view. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

/** Writes so many messages as if it were so many minutes ago. */
async function wrote(app: TestApp, session_id: string, count: number, minutes: number): Promise<void> {
  const { last_seq } = await ok(app, 'get_messages', { session_id, limit: 1 })
  for (let left = count; left > 0; left -= 100) {
    const messages = Array.from({ length: Math.min(100, left) }, (_, i) => ({ content: `number ${i}` }))
    await ok(app, 'add_messages', { session_id, messages }, { agent_id: 'ada' })
  }
  await administer(
    app.url,
    `update messages set timestamp = now() - interval '${minutes} minutes'
      where session_id = '${session_id}' and seq > ${last_seq}`
  )
}

t.test('messages a minute of the last hour: counted, live, and where they are too many', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  await page.goto(`${url}/app/#/agents`)
  const ada = { agent_id: 'ada' }
  const quiet = await newSession(app, ada, 'The quiet one')
  await write(app, quiet, 'long ago', ada)
  await administer(app.url, `update messages set timestamp = now() - interval '2 hours'`)
  const busy = await newSession(app, ada, 'The busy one')
  await wrote(app, busy, 2500, 30.5)
  await wrote(app, busy, 90, 5.5)
  const usual = await newSession(app, ada, 'The usual one')
  await wrote(app, usual, 40, 70)
  await wrote(app, usual, 250, 45.5)
  await page.goto(`${url}/app/#/`)
  const curve = (name: string) => page.locator('.session-row', { hasText: name }).locator('.sparkline')
  const says = async (name: string, what: string) => {
    await page.locator('.session-row', { hasText: name }).getByRole('img', { name: what }).waitFor()
  }
  await says('The usual one', 'messages a minute, the last 60 minutes: at most 250, now 0')
  await says('The busy one', 'messages a minute, the last 30 minutes: at most 90, now 0; there were too many before')
  const { message_id } = await write(app, usual, 'one more', ada)
  await says('The usual one', 'at most 250, now 1')
  await ok(app, 'delete_message', { message_id }, ada)
  await says('The usual one', 'at most 250, now 0')
  await write(app, usual, 'not for you', ada, { visibility: 'private' })
  await write(app, usual, 'for all', ada)
  await says('The usual one', 'at most 250, now 1')
  t.equal(await curve('The quiet one').count(), 0)
  await write(app, quiet, 'it wakes', ada)
  await says('The quiet one', 'at most 1, now 1')
  t.same(watched.faults, [])
})

t.test('every session that one scrolls to has its curve, and no other is asked for', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  await page.goto(`${url}/app/#/agents`)
  const asked = new Set<string>()
  page.on('request', request => {
    if (request.url().endsWith('/get_session')) asked.add(JSON.parse(request.postData() ?? '{}').session_id)
  })
  const ids: string[] = []
  for (let i = 0; i < 40; i++) {
    const session_id = await newSession(app, { agent_id: 'ada' }, `Part ${i}`)
    await write(app, session_id, 'something', { agent_id: 'ada' })
    ids.push(session_id)
  }
  const row = (i: number) =>
    page.locator('.session-row', { has: page.getByRole('link', { name: `Part ${i}`, exact: true }) })
  await page.goto(`${url}/app/#/`)
  await row(39).locator('.sparkline').waitFor()
  await row(39).getByText('here:').waitFor()
  t.notOk(asked.has(ids[0] as string), 'what is not in view is not asked for')
  await page.evaluate("document.querySelector('main').scrollTop = 1e6")
  await row(0).locator('.sparkline').waitFor()
  t.same(watched.faults, [])
})
