import t from 'tap'
import { newSession } from '../helper.js'
import { needs } from '../support/programs.js'
import { call, closeBrowser, ok, openTab, signIn, startWithPage, write } from './browser.js'

/** Who is there, and messages to somebody, as a person sees them. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

t.test('agents: who waits, what they say of themselves, what lies in their inboxes', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app, { agent_id: 'ada' })
  await write(app, session_id, 'please look at this', { agent_id: 'ada' }, { to: ['bob'] })
  await ok(app, 'set_status', { status: 'reading the log' }, { agent_id: 'bob' })
  const waiting = call(app, 'wait_for_messages', { session_id, timeout_seconds: 30 }, { agent_id: 'bob' })
  await page.goto(`${url}/app/#/agents`)
  await page.getByRole('row', { name: /bob.*waiting.*1.*reading the log/ }).waitFor()
  await page.getByRole('link', { name: 'ada' }).click()
  await page.getByRole('heading', { name: 'ada' }).waitFor()
  await page.getByRole('button', { name: 'please look at this' }).click()
  await page.locator('.message.marked', { hasText: 'please look at this' }).waitFor()
  t.equal(await page.getByRole('button', { name: 'Receipts' }).count(), 0, 'they are for the sender')
  await write(app, session_id, 'done', { agent_id: 'ada' })
  await waiting
  t.same(watched.faults, [])
})

t.test('a person writes to an agent, directly, and sees what became of it', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app, { agent_id: 'ada' })
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.getByRole('textbox', { name: 'Message' }).fill('only for bob')
  await page.getByLabel('Seen by').selectOption('direct')
  await page.getByLabel('For', { exact: true }).fill('bob')
  await page.getByRole('button', { name: 'Send' }).click()
  const sent = page.locator('.message', { hasText: 'only for bob' })
  await sent.getByText('to bob').waitFor()
  t.same((await ok(app, 'get_messages', { session_id }, { agent_id: 'eve' })).messages, [])
  const { messages } = await ok(app, 'get_inbox', {}, { agent_id: 'bob' })
  t.match(messages, [{ content: 'only for bob', visibility: 'direct', to: ['bob'] }])
  await ok(app, 'ack_messages', { message_ids: [messages[0].id], note: 'on it' }, { agent_id: 'bob' })
  await sent.getByRole('button', { name: 'Receipts' }).click()
  await sent.getByText(/acknowledged.*on it/).waitFor()

  const eve = await openTab(t, url)
  await signIn(eve.page, url, { name: 'eve' })
  await eve.page.goto(`${url}/app/#/sessions/${session_id}`)
  await eve.page.getByText('Nothing has been said here yet.').waitFor()
  t.same([...watched.faults, ...eve.watched.faults], [])
})
