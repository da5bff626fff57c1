import t, { type Test } from 'tap'
import { ADMIN_API_KEY, newSession, ok } from '../helper.js'
import { needs } from '../support/programs.js'
import type { Page } from 'playwright-core'
import { closeBrowser, openTab, signIn, startWithPage, write } from './browser.js'

/** Texts that mean harm: they are shown as texts, nothing runs, nothing is loaded, and the layout holds. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

const RUN = "document.title='owned'"
const HOSTILE = [
  `<script>${RUN}</script>`,
  `<img src=x onerror="${RUN}">`,
  `<svg onload="${RUN}"><animate onbegin="${RUN}" attributeName=x dur=1s>`,
  `[a link](javascript:${RUN})`,
  `[data](data:text/html,<script>${RUN}</script>) and ![a picture](https://elsewhere.example/p.png)`,
  `<iframe srcdoc="<script>${RUN}</script>"></iframe><style>*{display:none}</style>`,
  '\u202Egnp.exe \u2066hidden\u2069 \u200b',
  'x'.repeat(100_000),
  `${'> '.repeat(5000)}deep`,
  `${'[['.repeat(4000)}`,
  '`'.repeat(3000),
  `| a |\n|---|\n| <b onclick="${RUN}">${'wide'.repeat(500)}</b> |`,
  '\u0000-less \u0007 bell'.replace('\u0000', '')
]

async function holds(t: Test, page: Page, where: string): Promise<void> {
  t.match(await page.title(), /Shared context$/, `${where}: nothing ran`)
  t.ok(
    await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
    `${where}: nothing is wider than the window`
  )
  t.equal(await page.locator('#page :is(script, iframe, img, style, object, embed)').count(), 0, where)
}

t.test('texts that mean harm are texts', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const evil = { agent_id: `<b onclick="${RUN}">eve</b>`, agent_type: '"><script>x</script>' }
  const session_id = await newSession(app, evil, `<script>${RUN}</script> \u202Etxt.exe ${'long'.repeat(200)}`)
  let turned = 0
  for (const content of HOSTILE) {
    const { seq } = await write(app, session_id, content, evil, {
      metadata: { [`<img src=x onerror="${RUN}">`]: content.slice(0, 2000) }
    })
    if (content.includes('gnp.exe')) turned = seq
  }
  await ok(app, 'create_task', { title: `<script>${RUN}</script>`, description: HOSTILE[1], session_id }, evil)
  await page.getByRole('link', { name: /txt\.exe/ }).waitFor()
  await holds(t, page, 'sessions')
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.locator('.message').first().waitFor()
  for (let up = 0; up < 40; up++) {
    const more = page.locator('.message button[aria-expanded=false]')
    if ((await more.count()) > 0)
      await more
        .first()
        .click({ timeout: 2000 })
        .catch(() => {})
    await page.mouse.move(500, 400)
    await page.mouse.wheel(0, -400)
    await page.waitForTimeout(30)
  }
  await holds(t, page, 'a session')
  await page.goto(`${url}/app/#/sessions/${session_id}/${turned}`)
  // What would turn the text around has a name.
  await page.locator('.message.marked', { hasText: '[U+202E]gnp.exe' }).waitFor()
  t.equal(await page.locator('a[href^="javascript:"], a[href^="data:"]').count(), 0)
  await page.goto(`${url}/app/#/search/script`)
  await page.locator('.hit').first().waitFor()
  await holds(t, page, 'search')
  await page.goto(`${url}/app/#/tasks`)
  await page.locator('.card').first().click()
  await page.getByText('What happened').waitFor()
  await holds(t, page, 'tasks')
  t.same(watched, { faults: [], failedRequests: [] })
})

/** What turns and hides text. A header, by which these tests say who calls, does not carry all of it. */
const UNSEEN = '\u061C\u115F\u3164 \u202Elatot \u{E0068}\u{E0069}'
/** Markup, heaps of marks, and a word without an end; as long as a name may be. */
const MARKS = '\u0301\u0335\u0489'.repeat(30)
const NAMES = [`<img src=x onerror="${RUN}">`, `z${MARKS}`, 'W'.repeat(100), 'שלום עולם (1)']

for (const width of [1280, 390])
  t.test(`every field of every screen, ${width} wide`, BROWSER, async t => {
    const { app, url, page, watched } = await startWithPage(t, {}, { viewport: { width, height: 800 } })
    const everything = [UNSEEN, ...NAMES].join(' ')
    const [holder] = NAMES as [string]
    for (const [i, agent_id] of NAMES.entries()) {
      const as = { agent_id, agent_type: agent_id.slice(0, 50).trim() }
      const session_id = await newSession(app, as, everything)
      const metadata = { [agent_id]: everything }
      const more = { to: [agent_id, 'person'], metadata, payload: { [agent_id]: everything } }
      const { message_id } = await write(app, session_id, everything, as, more)
      await write(app, session_id, `answer ${everything}`, as, { parent_message_id: message_id })
      await ok(app, 'ack_messages', { message_ids: [message_id], note: everything }, { agent_id: 'person' })
      await ok(app, 'set_status', { status: everything.slice(0, 200) }, as)
      // Names of leases, memory and workspaces may not hold all of it; their checks are tested elsewhere.
      const shown = agent_id.replace(/[^\p{L}\p{N}<>="' ]/gu, '')
      await ok(app, 'set_memory', { key: shown, value: everything }, as)
      await ok(app, 'acquire_lease', { names: [shown], purpose: everything.slice(0, 200) }, as)
      const { task } = await ok(app, 'create_task', { title: everything, description: everything, session_id }, as)
      const { lease } = await ok(app, 'claim_task', { task_id: task.task_id }, as)
      const end = { task_id: task.task_id, lease_token: lease.token }
      if (i % 2 === 0) await ok(app, 'complete_task', { ...end, result: { [agent_id]: everything } }, as)
      else await ok(app, 'fail_task', { ...end, error: everything }, as)
      await ok(app, 'create_api_key', as, { admin: true })
    }
    const look = async (on: Page, path: string, ready: string) => {
      await on.goto(`${url}/app/#${path}`)
      await on.locator(ready).first().waitFor()
      await on.waitForTimeout(300)
      await holds(t, on, path)
      t.notMatch(await on.locator('#page').textContent(), /[\u061c\u115f\u3164\u202e\u{e0000}-\u{e007f}]/u, path)
    }
    const { sessions } = await ok(app, 'list_sessions', {})
    await look(page, '/', '.session-row')
    await look(page, `/sessions/${sessions[0].id}`, '.message')
    await page.getByRole('button', { name: 'Thread' }).first().click()
    await page.getByRole('complementary').waitFor()
    await page.getByRole('complementary').getByRole('button', { name: 'Data' }).first().click()
    await holds(t, page, 'a thread')
    await look(page, '/search/answer', '.hit')
    await look(page, '/tasks', '.card')
    for (let i = 0; i < 2; i++) {
      await page.locator('.card').nth(i).click()
      await page.getByText('What happened').waitFor()
      await holds(t, page, 'a task')
      await page.keyboard.press('Escape')
    }
    await look(page, '/agents', '.agent-row')
    const itself = await openTab(t, url, { viewport: { width, height: 800 } })
    await signIn(itself.page, url, { name: holder })
    await look(itself.page, `/agents/${encodeURIComponent(holder)}`, 'button[aria-expanded]')
    await itself.page.locator('button[aria-expanded]').first().click()
    await itself.page.locator('li pre').waitFor()
    await holds(t, itself.page, 'what one remembers')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await signIn(page, url, { key: ADMIN_API_KEY, name: 'operator', admin: true })
    for (const path of ['/audit', '/keys', '/workspaces', '/health']) await look(page, path, 'td')
    await page.goto(`${url}/app/#/audit`)
    await page
      .getByRole('button', { name: /Detail of row/ })
      .first()
      .click()
    await page.getByRole('dialog').waitFor()
    await holds(t, page, 'a row')
    t.same([...watched.faults, ...itself.watched.faults], [])
  })
