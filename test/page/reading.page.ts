import t from 'tap'
import { newSession } from '../helper.js'
import { needs } from '../support/programs.js'
import { until } from '../support/rest.js'
import { closeBrowser, ok, startWithPage, write } from './browser.js'

/** What counts as read, what is taken back, and what the keyboard does in a session. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

t.test('read is what one has looked at', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app, { agent_id: 'ada' })
  for (let i = 0; i < 40; i++) await write(app, session_id, `number ${i}`, { agent_id: 'ada' })
  const unread = async () => {
    const { sessions } = await ok(app, 'list_sessions', {}, { agent_id: 'person' })
    return sessions[0].unread.messages
  }
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await until('all is read', async () => (await unread()) === 0)
  await page.locator('.timeline-scroll').hover()
  await page.mouse.wheel(0, -1500)
  await page.getByRole('button', { name: 'To the newest' }).waitFor()
  await write(app, session_id, 'below what is in view', { agent_id: 'ada' })
  const newer = page.getByRole('button', { name: '1 new' })
  await newer.waitFor()
  await page.waitForTimeout(2500)
  t.equal(await unread(), 1, 'it came, but nobody has seen it')
  await newer.click()
  await until('it is read', async () => (await unread()) === 0)

  const short = await newSession(app, { agent_id: 'ada' })
  const { seq } = await write(app, short, 'the only one', { agent_id: 'ada' })
  await page.goto(`${url}/app/#/sessions/${short}/${seq}`)
  await page.locator('.message.marked').waitFor()
  await page.getByRole('button', { name: 'To the newest' }).waitFor({ state: 'detached' })
  await until('it is read', async () => (await unread()) === 0)
  t.same(watched.faults, [])
})

t.test('what is taken back goes from an open thread too', BROWSER, async t => {
  const { app, url, page } = await startWithPage(t)
  const session_id = await newSession(app, { agent_id: 'ada' })
  const ada = { agent_id: 'ada' }
  const { message_id } = await write(app, session_id, 'the question', ada)
  const answer = await write(app, session_id, 'a rash answer', ada, { parent_message_id: message_id })
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.getByRole('button', { name: 'Thread' }).first().click()
  const thread = page.getByRole('complementary', { name: 'Thread' })
  await thread.getByText('a rash answer').waitFor()
  await ok(app, 'set_message_visibility', { message_id: answer.message_id, visibility: 'private' }, ada)
  await thread.getByText('a rash answer').waitFor({ state: 'detached' })
  await ok(app, 'delete_message', { message_id }, ada)
  await thread.getByText('This message was taken back.').waitFor()
  t.notMatch(await page.content(), /rash answer|the question/)
})

t.test('what a key opens has the focus before the next key comes', BROWSER, async t => {
  const { app, url, page } = await startWithPage(t)
  const session_id = await newSession(app)
  await write(app, session_id, 'the lighthouse is dark', { agent_id: 'ada' })
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.getByText('the lighthouse is dark').waitFor()
  // Both in one task of the browser, which cannot paint between them.
  const focused = await page.evaluate<string>(`(async () => {
    dispatchEvent(new KeyboardEvent('keydown', { key: '/' }))
    for (let turn = 0; turn < 20; turn++) await undefined
    return document.activeElement.getAttribute('aria-label')
  })()`)
  t.equal(focused, 'Search in this session')
})

t.test('a session by the keyboard alone, on a phone too', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app)
  const { message_id } = await write(app, session_id, 'the lighthouse is dark', { agent_id: 'ada' })
  await write(app, session_id, 'who lights it?', { agent_id: 'bob' }, { parent_message_id: message_id })
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.getByText('who lights it?').first().waitFor()
  const focused = async () => page.evaluate<string>('document.activeElement.getAttribute("aria-label")')
  await page.keyboard.press('j')
  t.match(await focused(), /^ada, number/)
  await page.keyboard.press('Enter')
  const thread = page.getByRole('complementary', { name: 'Thread' })
  await thread.getByText('who lights it?').waitFor()
  t.equal(await focused(), 'Thread', 'the panel has the focus')
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  t.match(await focused(), /^bob, number/, 'j moves in the panel')
  await page.keyboard.press('Escape')
  await thread.waitFor({ state: 'detached' })
  t.match(await focused(), /^ada, number/, 'the focus is back')

  await page.keyboard.press('/')
  const search = page.getByRole('complementary', { name: 'Search in this session' })
  await search.waitFor()
  await page.keyboard.type('lighthouse')
  await search.locator('.hit-text').first().waitFor()
  await page.keyboard.press('Escape')
  await search.waitFor({ state: 'detached' })

  await page.setViewportSize({ width: 390, height: 780 })
  await page.keyboard.press('/')
  await page.keyboard.type('lighthouse')
  await search.locator('.hit-text').first().waitFor()
  await page.keyboard.press('Enter')
  t.equal(await page.evaluate('document.activeElement.className'), 'hit-text', 'Enter goes to what was found')
  await page.keyboard.press('Enter')
  await page.getByRole('log').locator('.message.marked', { hasText: 'lighthouse' }).waitFor()
  t.equal(await search.count(), 0, 'what covered the message is closed')

  await page.keyboard.press('g')
  await page.keyboard.press('f')
  await page.getByLabel('Search all sessions').fill('lighthouse')
  await page.locator('.hit-text').first().waitFor()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Enter')
  await page.getByRole('log').locator('.message.marked').waitFor()
  t.same(watched.faults, [])
})
