import axe from 'axe-core'
import t, { type Test } from 'tap'
import type { Page } from 'playwright-core'
import { ADMIN_API_KEY, listen, newSession, ok, startApp } from '../helper.js'
import { needs } from '../support/programs.js'
import { closeBrowser, openTab, signIn, write } from './browser.js'

/** Whether everybody can use the page: axe's rules on each screen, light and dark, wide and phone; and the keyboard. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

async function findsNothing(t: Test, page: Page, where: string): Promise<void> {
  const found = await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) =>
    violations.map(({ id, nodes }) => ({ rule: id, at: nodes.map(({ html }) => html.slice(0, 160)) })))`)
  t.same(found, [], where)
}

for (const [colorScheme, width] of [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390]
] as const) {
  t.test(`axe finds nothing: ${colorScheme}, ${width} wide`, BROWSER, async t => {
    const app = await startApp(t)
    const url = await listen(app)
    // axe is put into the page by the browser, which the page's policy does not hold up.
    const { page, watched } = await openTab(t, url, { colorScheme, viewport: { width, height: 800 }, bypassCSP: true })
    await page.addInitScript(axe.source)
    await page.goto(`${url}/app/`)
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await findsNothing(t, page, 'signing in')
    await signIn(page, url)
    await findsNothing(t, page, 'no sessions')
    const session_id = await newSession(app, { agent_id: 'ada' }, 'Everybody is welcome')
    const { message_id } = await write(app, session_id, '# A heading\n\n- a `list`\n\n```\ncode\n```\n> quoted')
    await write(
      app,
      session_id,
      'an answer',
      { agent_id: 'bob' },
      { parent_message_id: message_id, metadata: { a: 1 } }
    )
    await write(app, session_id, 'for myself', { agent_id: 'person' }, { visibility: 'private' })
    await ok(app, 'create_task', { title: 'To be done', session_id }, { agent_id: 'ada' })
    await ok(app, 'acquire_lease', { names: ['a'] }, { agent_id: 'ada' })
    await page.getByRole('link', { name: 'Everybody is welcome' }).waitFor()
    await findsNothing(t, page, 'sessions')
    await page.goto(`${url}/app/#/sessions/${session_id}`)
    await page.locator('.task-line').waitFor()
    await findsNothing(t, page, 'a session')
    await page.getByRole('button', { name: 'Thread' }).first().click()
    await page.getByRole('complementary').waitFor()
    await findsNothing(t, page, 'a thread')
    await page.goto(`${url}/app/#/search/answer`)
    await page.locator('.hit').first().waitFor()
    await findsNothing(t, page, 'search')
    await page.goto(`${url}/app/#/tasks`)
    await page.locator('.card').first().waitFor()
    await findsNothing(t, page, 'tasks')
    await page.locator('.card').first().click()
    await page.getByText('What happened').waitFor()
    await findsNothing(t, page, 'a task')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await signIn(page, url, { key: ADMIN_API_KEY, name: 'operator', admin: true })
    await ok(app, 'create_api_key', { agent_id: 'ada', agent_type: 'claude' }, { admin: true })
    for (const [screen, ready] of [
      ['agents', 'td'],
      ['agents/ada', 'h2'],
      ['audit', 'td'],
      ['keys', '#retention ~ p'],
      ['workspaces', 'td'],
      ['health', 'canvas']
    ] as const) {
      await page.goto(`${url}/app/#/${screen}`)
      await page.locator(ready).first().waitFor()
      await findsNothing(t, page, screen)
    }
    t.same(watched.faults, [])
  })
}

t.test('everything by the keyboard', BROWSER, async t => {
  const app = await startApp(t)
  const url = await listen(app)
  const { page } = await openTab(t, url)
  const session_id = await newSession(app, {}, 'the older one')
  await newSession(app, {}, 'the newer one')
  for (const content of ['one', 'two', 'three']) await write(app, session_id, content, { agent_id: 'ada' })
  await signIn(page, url)
  await page.getByRole('link', { name: 'the older one' }).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('/')
  await page.keyboard.type('older')
  await page.getByRole('link', { name: 'the newer one' }).waitFor({ state: 'detached' })
  await page.getByLabel('Search purposes').blur()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'the older one' }).waitFor()
  await page.getByText('three').waitFor()
  await page.keyboard.press('c')
  await page.keyboard.type('four, by a person')
  await page.keyboard.press('Control+Enter')
  await page.locator('.message', { hasText: 'four, by a person' }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('g')
  await page.keyboard.press('t')
  await page.getByRole('heading', { name: 'Tasks' }).waitFor()
})
