import t from 'tap'
import { listen, newSession, startApp } from '../helper.js'
import { AUDIENCE, startIssuer } from '../support/issuer.js'
import { needs } from '../support/programs.js'
import { until } from '../support/rest.js'
import { closeBrowser, ok, openTab, signIn, startWithPage, write } from './browser.js'

/** The page in a real browser: signing in, and a session as a person sees and steers it. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

t.test('signing in and out', BROWSER, async t => {
  const { url, page, watched } = await startWithPage(t)
  await page.reload()
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
  const stored = await page.evaluate('JSON.stringify([localStorage.length, document.cookie, location.href])')
  t.equal(stored, JSON.stringify([0, '', `${url}/app/`]), 'the token is in no other place than the tab')
  const token = await page.evaluate<string>("JSON.parse(sessionStorage['shared-context.identity']).token")
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  t.equal(await page.evaluate('sessionStorage.length'), 0)
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  await until('it ended at the service too', async () => {
    const { status } = await fetch(`${url}/mcp/tool/list_sessions`, { method: 'POST', headers, body: '{}' })
    return status === 401
  })
  t.same(watched, { faults: [], failedRequests: [] })

  await page.getByLabel('API key').fill('not-the-key-0123456789')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').waitFor()
  t.match(await page.getByRole('alert').textContent(), /API key/)
})

t.test('what agents write comes by itself; what one may not see does not', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app, { agent_id: 'ada' }, 'Build the bridge')
  await page.getByRole('link', { name: 'Build the bridge' }).click()
  await page.getByText('Nothing has been said here yet.').waitFor()
  await write(app, session_id, 'the first of all', { agent_id: 'ada' })
  await page.getByText('the first of all').waitFor()
  await write(app, session_id, 'a secret of ada', { agent_id: 'ada' }, { visibility: 'private' })
  await write(
    app,
    session_id,
    'for other types',
    { agent_id: 'ada', agent_type: 'claude' },
    { visibility: 'agent_only' }
  )
  await write(app, session_id, 'the last of all', { agent_id: 'ada' })
  await page.getByText('the last of all').waitFor()
  t.equal(await page.locator('.message').count(), 2)
  t.notMatch(await page.content(), /a secret of ada|for other types/)

  const { message_id } = await write(app, session_id, 'to be taken back', { agent_id: 'ada' })
  await page.getByText('to be taken back').waitFor()
  await ok(app, 'set_message_visibility', { message_id, visibility: 'private' }, { agent_id: 'ada' })
  await page.getByText('to be taken back').waitFor({ state: 'detached' })

  const other = await openTab(t, url)
  await signIn(other.page, url, { name: 'ada' })
  await other.page.goto(`${url}/app/#/sessions/${session_id}`)
  await other.page.getByText('a secret of ada').waitFor()
  t.equal(await other.page.locator('.visibility-private').count(), 2, 'its own private ones have a badge')
  t.same([...watched.faults, ...other.watched.faults], [])
})

t.test('a person writes, answers, and sees the thread', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app)
  const question = await write(app, session_id, 'Which colour?', { agent_id: 'ada' })
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.getByText('Which colour?').waitFor()
  await page.getByRole('article', { name: /ada/ }).getByRole('button', { name: 'Reply' }).click()
  await page.locator('textarea:focus').waitFor()
  await page.keyboard.type('Blue, please.')
  await page.getByLabel('Seen by').selectOption('private')
  await page.keyboard.press('Tab')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.locator('.message', { hasText: 'Blue, please.' }).waitFor()
  const { messages } = await ok(app, 'get_messages', { session_id }, { agent_id: 'person' })
  t.match(messages, [{}, { content: 'Blue, please.', visibility: 'private', parent_message_id: question.message_id }])
  t.equal(messages.length, 2)

  await page.getByRole('article', { name: /ada/ }).getByRole('button', { name: 'Thread' }).click()
  const thread = page.getByRole('complementary', { name: 'Thread' })
  await thread.getByText('Blue, please.').waitFor()
  await write(app, session_id, 'Blue it is.', { agent_id: 'ada' }, { parent_message_id: question.message_id })
  await thread.getByText('Blue it is.').waitFor()
  await page.keyboard.press('Escape')
  await thread.waitFor({ state: 'detached' })
  t.same(watched.faults, [])
})

t.test('search in a session and over all, with links to messages', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app, {}, 'The harbour')
  const found = await write(app, session_id, 'The lighthouse keeper repaired the foghorn.', { agent_id: 'ada' })
  for (let i = 0; i < 3; i++)
    await ok(app, 'add_messages', {
      session_id,
      messages: Array.from({ length: 100 }, (_, n) => ({ content: `an entry of the log, ${i} ${n}` }))
    })
  await page.goto(`${url}/app/#/search`)
  await page.getByLabel('Search all sessions').fill('who repaired the foghorn?')
  const hit = page.locator('.hit').first()
  await hit.locator('mark', { hasText: 'foghorn' }).waitFor()
  t.match(await hit.textContent(), /The harbour/)
  await hit.locator('.hit-text').click()
  await page.locator('.message.marked', { hasText: 'lighthouse keeper' }).waitFor()
  t.match(page.url(), new RegExp(`/sessions/${session_id}/${found.seq}$`))
  await page.getByRole('button', { name: /newest/ }).click()
  await page.getByText('an entry of the log, 2 99').waitFor()

  await page.getByRole('button', { name: 'Search', exact: true }).click()
  await page.getByLabel('Search in this session').last().fill('lighthouse')
  await page.locator('.side .hit-text').first().click()
  await page.locator('.message.marked', { hasText: 'lighthouse keeper' }).waitFor()
  t.same(watched.faults, [])
})

t.test('sessions are opened, renamed, closed, archived and deleted', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  await page.getByRole('button', { name: 'New session' }).click()
  await page.getByLabel('What is it for?').fill('A first try')
  await page.getByRole('button', { name: 'Open it' }).click()
  await page.getByRole('heading', { name: 'A first try' }).waitFor()
  const act = async (name: string, button: string) => {
    await page.getByLabel(/^Actions for/).selectOption(name)
    await page.getByRole('dialog').getByRole('button', { name: button, exact: true }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }
  await page.getByLabel(/^Actions for/).selectOption('rename')
  await page.getByLabel('Purpose').fill('A second try')
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click()
  await page.getByRole('heading', { name: 'A second try', level: 1 }).waitFor()
  await act('close', 'Close')
  await page.locator('.badge', { hasText: 'closed' }).waitFor()
  await act('reopen', 'Reopen')
  await page.locator('.badge', { hasText: 'closed' }).waitFor({ state: 'detached' })
  await act('archive', 'Archive')
  await page.locator('.badge', { hasText: 'archived' }).waitFor()
  await page.goto(`${url}/app/#/`)
  await page.getByRole('button', { name: 'Archived' }).click()
  await page.getByRole('link', { name: 'A second try' }).waitFor()
  await page.getByLabel(/^Actions for/).selectOption('delete')
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  t.equal(
    await page.getByRole('link', { name: 'A second try' }).count(),
    1,
    'an act that is not confirmed does nothing'
  )
  await act('delete', 'Delete')
  await page.getByText('No session fits.').waitFor()
  t.same((await ok(app, 'list_sessions', { archived: true })).sessions, [])
  t.same(watched.faults, [])
})

t.test('signing in with a token of another issuer', BROWSER, async t => {
  const issuer = await startIssuer(t)
  const app = await startApp(t, { OIDC_ISSUER: issuer.url, OIDC_AUDIENCE: AUDIENCE })
  const url = await listen(app)
  const { page, watched } = await openTab(t, url)
  await page.goto(`${url}/app/`)
  await page.getByRole('button', { name: 'Use a token instead' }).click()
  const enter = async (token: string) => {
    await page.getByLabel('Token of your company').fill(token)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  await enter('not-a-token')
  await page.getByRole('alert').waitFor()
  await enter(issuer.token())
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
  t.same(watched.faults, [])
})
