import t, { type Test } from 'tap'
import { ADMIN_API_KEY, listen, newSession, startApp } from '../helper.js'
import { administer } from '../support/database.js'
import { needs } from '../support/programs.js'
import { until } from '../support/rest.js'
import { call, closeBrowser, ok, openTab, signIn, write } from './browser.js'

/** What an admin does on the page. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

async function startAsAdmin(t: Test, more: Record<string, string> = {}) {
  const app = await startApp(t, more)
  const url = await listen(app)
  const tab = await openTab(t, url)
  await signIn(tab.page, url, { key: ADMIN_API_KEY, name: 'operator', admin: true })
  return { app, url, ...tab }
}

t.test('the audit log: filtered, looked at, verified, and found changed', BROWSER, async t => {
  const { app, url, page, watched } = await startAsAdmin(t, { AUDIT_HMAC_KEY: 'a'.repeat(64) })
  const session_id = await newSession(app, { agent_id: 'ada' })
  for (let i = 0; i < 5; i++) await write(app, session_id, `number ${i}`, { agent_id: 'ada' })
  await page.goto(`${url}/app/#/audit`)
  await page.getByRole('cell', { name: 'message_added' }).first().waitFor()
  await page.getByLabel('Event').fill('session_created')
  await page.getByRole('cell', { name: 'message_added' }).first().waitFor({ state: 'detached' })
  t.equal(await page.getByRole('row').count(), 2, 'the head, and the one row')
  await page.getByRole('button', { name: /Detail of row/ }).click()
  await page.getByRole('dialog').getByText(session_id).first().waitFor()
  await page.keyboard.press('Escape')

  const intact = async () => {
    await page.getByRole('button', { name: 'Verify the log' }).click()
    await page.getByText(/Intact|was changed/).waitFor()
    return (await page.getByText(/Intact\./).count()) === 1
  }
  await until('the rows are in the chain', async () => {
    const { not_yet_chained } = await ok(app, 'verify_audit_log', {}, { admin: true })
    return not_yet_chained === 0
  })
  t.ok(await intact())
  await administer(
    app.url,
    'alter table audit_log disable trigger append_only',
    "update audit_log set agent_id = 'eve' where event_type = 'session_created'"
  )
  t.notOk(await intact())
  await page.getByText('The log was changed.').waitFor()

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export as JSON lines' }).click()
  ])
  t.equal(download.suggestedFilename(), 'audit-log.jsonl')
  t.same(watched.faults, [])
})

t.test('a key is made, shown once, and revoked', BROWSER, async t => {
  const { app, url, page, watched } = await startAsAdmin(t)
  await page.goto(`${url}/app/#/keys`)
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByLabel('Name of the agent').fill('research-1')
  await page.getByRole('button', { name: 'Make it' }).click()
  const key = (await page.locator('.made-key').textContent()) ?? ''
  t.match(key, /^scs_/)
  t.match(await page.getByRole('dialog').textContent(), new RegExp(`claude mcp add .*${key}.*research-1`))
  const as = { anonymous: true, headers: { 'x-api-key': key, 'x-agent-id': 'research-1' } }
  t.equal((await call(app, 'list_sessions', {}, as)).status, 200)
  await page.keyboard.press('Escape')
  await page.locator('.made-key').waitFor({ state: 'detached' })
  t.notMatch(await page.content(), new RegExp(key))
  const row = page.getByRole('row', { name: /research-1/ })
  await row.getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke it' }).click()
  await row.waitFor({ state: 'detached' })
  await until('it is refused', async () => (await call(app, 'list_sessions', {}, as)).status === 401)
  await page.getByLabel('Show ended ones').check()
  await page.getByRole('row', { name: /research-1.*revoked/ }).waitFor()

  await page.getByRole('button', { name: 'Change …' }).click()
  await page.getByLabel('Days; 0 keeps').fill('90')
  await page.getByRole('button', { name: 'Set it' }).click()
  await page.getByText('kept for 90 days').waitFor()
  t.equal((await ok(app, 'get_retention', {}, { admin: true })).days, 90)
  t.same(watched.faults, [])
})

t.test('health shows what the replica does', BROWSER, async t => {
  const { app, url, page, watched } = await startAsAdmin(t)
  await newSession(app)
  const second = await startApp(t, {}, app)
  await page.goto(`${url}/app/#/health`)
  // The screen asks again every 15 seconds.
  await page.getByRole('cell', { name: 'create_session' }).waitFor()
  t.equal(await page.locator('canvas').count(), 6)
  t.match(await page.locator('.figures').textContent(), /Replicas up2 of 2.*Connections in use\d+ of \d+/)
  t.equal(await page.getByRole('row', { name: /test-replica up/ }).count(), 2)
  await page.getByLabel('Calls and times of').selectOption('create_session')
  await second.server.close()
  // As a replica leaves it that is killed.
  await administer(
    app.url,
    `insert into replica_figures select clock_timestamp() - interval '3 minutes', 'killed',
      jsonb_set(figures::jsonb, '{name}', '"killed"') from replica_figures limit 1`
  )
  await page.getByRole('alert').filter({ hasText: 'killed has told nothing since' }).waitFor()
  await page.getByRole('row', { name: /killed silent since/ }).waitFor()
  t.match(await page.locator('.figures').textContent(), /Replicas up1 of 2/)
  t.same(watched, { faults: [], failedRequests: [] })
})

t.test('workspaces: listed with their sizes, one begun with its first key, and its key revoked', BROWSER, async t => {
  const { app, url, page, watched } = await startAsAdmin(t, { QUOTA_SESSIONS: '2' })
  for (const purpose of ['one', 'two']) await newSession(app, {}, purpose)
  await page.goto(`${url}/app/#/workspaces`)
  await page.getByRole('row', { name: /^default 2 of 2, nearly full/ }).waitFor()
  await page.getByRole('button', { name: 'New workspace' }).click()
  await page.getByLabel('Name of the workspace').fill('Not a name')
  await page.getByLabel('Name of the agent').fill('ada')
  await page.getByRole('button', { name: 'Make it' }).click()
  await page.getByRole('alert').waitFor()
  await page.getByLabel('Name of the workspace').fill('research')
  await page.getByRole('button', { name: 'Make it' }).click()
  const key = (await page.locator('.made-key').textContent()) ?? ''
  const as = { anonymous: true, headers: { 'x-api-key': key, 'x-agent-id': 'ada' } }
  const purposes = async () => (await ok(app, 'list_sessions', {}, as)).sessions
  t.same(await purposes(), [], 'nothing of another workspace')
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: '1 key of research' }).click()
  await page.getByRole('row', { name: /ada/ }).getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke it' }).click()
  await until('it is refused', async () => (await call(app, 'list_sessions', {}, as)).status === 401)
  t.same(watched.faults, [])
})

t.test('workspaces and health are for the operator, and say so to admins of a workspace', BROWSER, async t => {
  const app = await startApp(t)
  const url = await listen(app)
  const { page } = await openTab(t, url)
  const key = { agent_id: 'chief', agent_type: 'human', permissions: ['read', 'write', 'admin'] }
  const { api_key } = await ok(app, 'create_api_key', key, { admin: true })
  await signIn(page, url, { key: api_key, name: 'chief', admin: true })
  for (const screen of ['workspaces', 'health']) {
    await page.goto(`${url}/app/#/${screen}`)
    await page.getByRole('alert').filter({ hasText: 'operator' }).waitFor()
    t.equal(await page.locator('table').count(), 0)
  }
})

t.test('who is no admin is not led there', BROWSER, async t => {
  const app = await startApp(t)
  const url = await listen(app)
  const { page } = await openTab(t, url)
  await signIn(page, url)
  t.equal(await page.getByRole('link', { name: /Audit|Keys|Health/ }).count(), 0)
  await page.goto(`${url}/app/#/audit`)
  await page.getByRole('alert').waitFor()
  t.match(await page.getByRole('alert').textContent(), /permission/i)
})
