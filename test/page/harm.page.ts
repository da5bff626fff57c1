import t from 'tap'
import { newSession, ok } from '../helper.js'
import { needs } from '../support/programs.js'
import { closeBrowser, startWithPage, write } from './browser.js'

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
  const holds = async (where: string) => {
    t.equal(await page.title(), 'Shared context', `${where}: nothing ran`)
    t.ok(
      await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
      `${where}: nothing is wider than the window`
    )
    t.equal(await page.locator('#page :is(script, iframe, img, style, object, embed)').count(), 0, where)
  }
  await page.getByRole('link', { name: /txt\.exe/ }).waitFor()
  await holds('sessions')
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
  await holds('a session')
  await page.goto(`${url}/app/#/sessions/${session_id}/${turned}`)
  // What would turn the text around has a name.
  await page.locator('.message.marked', { hasText: '[U+202E]gnp.exe' }).waitFor()
  t.equal(await page.locator('a[href^="javascript:"], a[href^="data:"]').count(), 0)
  await page.goto(`${url}/app/#/search/script`)
  await page.locator('.hit').first().waitFor()
  await holds('search')
  await page.goto(`${url}/app/#/tasks`)
  await page.locator('.card').first().click()
  await page.getByText('What happened').waitFor()
  await holds('tasks')
  t.same(watched, { faults: [], failedRequests: [] })
})
