import t from 'tap'
import { newSession, ok } from '../helper.js'
import { administer } from '../support/database.js'
import { needs } from '../support/programs.js'
import { closeBrowser, startWithPage } from './browser.js'

/** 10 000 sessions, scrolled from the newest to the first, and filtered. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

const SESSIONS = 10_000

t.test('10 000 sessions, from the newest to the first', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  await administer(
    app.url,
    `insert into sessions (id, purpose, created_by, created_at, is_active, last_message_at)
      select 'session_' || lpad(to_hex(n), 16, '0'), 'Part ' || n || case when n % 7 = 0 then repeat(', at length', 30)
        when n = 4321 then ', the lighthouse' else '' end, 'ada', at, n % 1000 <> 0, at
      from generate_series(1, ${SESSIONS}) n, lateral (select now() - make_interval(mins => ${SESSIONS} - n) as at) a`,
    'analyze sessions'
  )
  const idOf = (n: number) => `session_${n.toString(16).padStart(16, '0')}`
  const row = (name: string) => page.getByRole('link', { name, exact: true })
  const asked: string[] = []
  page.on('request', request => asked.push(new URL(request.url()).pathname.split('/').at(-1) ?? ''))
  await page.goto(`${url}/app/#/agents`)
  await page.goto(`${url}/app/#/`)
  await row(`Part ${SESSIONS - 1}`).waitFor()
  await page.evaluate(`(async () => {
    const main = document.querySelector('main')
    window.most = 0
    const end = Date.now() + 120_000
    while (Date.now() < end && document.querySelector('[href$="/${idOf(1)}"]') === null) {
      main.scrollTop = main.scrollHeight
      await new Promise(resolve => setTimeout(resolve, 10))
      window.most = Math.max(window.most, document.querySelectorAll('.session-row').length)
    }
  })()`)
  await row('Part 1').waitFor({ timeout: 5000 })
  const most = await page.evaluate<number>('window.most')
  t.ok(most < 100, `only what is in view is in the page: at most ${most} sessions`)
  const pages = asked.filter(name => name === 'list_sessions').length
  t.ok(pages < 100, `${pages} calls brought all of them`)

  // What one looks at is kept up to date, and nothing else is read.
  asked.length = 0
  await ok(app, 'add_message', { session_id: idOf(2), content: 'news' }, { agent_id: 'ada' })
  const news = page.locator('.session-row', { has: row('Part 2') }).getByText('1 new')
  await news.waitFor()
  await page.waitForTimeout(8500)
  const calls = asked.filter(name => name === 'list_sessions').length
  t.ok(calls <= 12, `${calls} calls kept it up to date for ten seconds`)
  const top = async () => (await row('Part 2').boundingBox())?.y
  const before = await top()
  await newSession(app, { agent_id: 'ada' }, 'The newest of all')
  await page.waitForTimeout(5000)
  t.ok(Math.abs(((await top()) ?? 0) - (before ?? 0)) < 2, 'a new session moves nothing of what one looks at')

  await page.keyboard.press('/')
  await page.keyboard.type('lighthouse')
  await row('Part 4321, the lighthouse').waitFor()
  await page.getByRole('button', { name: 'Closed' }).click()
  await row('Part 4321, the lighthouse').waitFor({ state: 'detached' })
  await page.getByLabel('Search purposes').fill('')
  await row('Part 9000').waitFor()
  t.equal(await row('The newest of all').count(), 0, 'only closed ones')
  await page.getByRole('button', { name: 'All' }).click()
  await row('The newest of all').waitFor()
  await page.keyboard.press('j')
  t.equal(await page.evaluate('document.activeElement.textContent'), 'The newest of all')
  t.same(watched.faults, [])
})
