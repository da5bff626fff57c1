import t from 'tap'
import { ADMIN_API_KEY, newSession } from '../helper.js'
import { needs } from '../support/programs.js'
import { closeBrowser, ok, openTab, signIn, startWithPage, write } from './browser.js'

/** What the screens show beyond their lists: memory, keys, dependencies, names of sessions, empty states. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

t.test("an agent's page: what it remembers is for itself, its keys are for admins", BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  await page.goto(`${url}/app/#/agents`)
  await page.getByText('Nobody but you has been here.').waitFor()
  await page.getByText('claude mcp add').waitFor()
  await ok(app, 'set_memory', { key: 'a plan', value: { first: 'sweep' } }, { agent_id: 'person' })
  await ok(app, 'set_memory', { key: 'of ada', value: 'secret' }, { agent_id: 'ada' })
  await page.goto(`${url}/app/#/agents/person`)
  await page.getByRole('button', { name: 'a plan' }).click()
  await page.getByText('"first": "sweep"').waitFor()
  await page.goto(`${url}/app/#/agents/ada`)
  await page.getByText(/last seen/).waitFor()
  t.equal(await page.getByText('of ada').count(), 0)
  t.match(await page.title(), /^Agents/)

  for (let i = 0; i < 210; i++)
    await ok(app, 'create_api_key', { agent_id: `other-${i}`, agent_type: 'x' }, { admin: true })
  await ok(app, 'create_api_key', { agent_id: 'ad*', agent_type: 'x', permissions: ['read'] }, { admin: true })
  const admin = await openTab(t, url)
  await signIn(admin.page, url, { key: ADMIN_API_KEY, name: 'operator', admin: true })
  await admin.page.goto(`${url}/app/#/agents/ada`)
  await admin.page.getByText(/^ad\*, .*: read, made/).waitFor()
  t.equal(await admin.page.getByText('of ada').count(), 0, 'not even for admins')
  t.same([...watched.faults, ...admin.watched.faults], [])
})

t.test('a task that is open is kept up to date, and leads to what it needs', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  await page.goto(`${url}/app/#/tasks`)
  await page.getByText('claude mcp add').waitFor()
  const ada = { agent_id: 'ada' }
  const first = await ok(app, 'create_task', { title: 'Dig the hole', lease_seconds: 10 }, ada)
  await ok(app, 'create_task', { title: 'Plant the tree', depends_on: [first.task.task_id] }, ada)
  await page.locator('.card', { hasText: 'Plant the tree' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Dig the hole' }).click()
  await dialog.getByRole('heading', { name: 'Dig the hole' }).waitFor()
  await ok(app, 'claim_task', { task_id: first.task.task_id }, { agent_id: 'bob' })
  await dialog.getByText(/In work by bob/).waitFor()
  await dialog.getByText(/Waiting, as its lease ended/).waitFor()
  t.same(watched.faults, [])
})

t.test('results of a search say in which session they are, however many there are', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const old = await newSession(app, {}, 'The oldest of all')
  await write(app, old, 'a lighthouse keeper', { agent_id: 'ada' })
  for (let i = 0; i < 205; i++) await newSession(app, {}, `later ${i}`)
  await page.goto(`${url}/app/#/search/lighthouse`)
  await page.locator('.hit-where', { hasText: 'The oldest of all' }).waitFor()
  t.match(await page.title(), /^Search/)
  t.same(watched.faults, [])
})

t.test('lines to copy are safe in a shell, and the audit log ends where one says', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  await newSession(app, { agent_id: 'ada' })
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  await signIn(page, url, { key: ADMIN_API_KEY, name: 'operator', admin: true })
  await page.goto(`${url}/app/#/keys`)
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByLabel('Name of the agent').fill(`a'b"; $(touch x)`)
  await page.getByRole('button', { name: 'Make it' }).click()
  await page.locator('.made-key').waitFor()
  const lines = await page.getByRole('dialog').locator('section pre').allTextContents()
  for (const line of lines.filter(each => /^(claude|gemini|curl)/.test(each)))
    t.ok(line.endsWith(`'X-Agent-Id: a'\\''b"; $(touch x)'`), line.slice(0, 6))
  t.equal(lines.filter(line => line.includes(`"a'b\\"; $(touch x)"`)).length, 2, 'TOML and JSON')
  await page.keyboard.press('Escape')

  await page.goto(`${url}/app/#/audit`)
  await page.getByRole('cell', { name: 'session_created' }).waitFor()
  await page.getByLabel('To').fill('2020-01-01T00:00')
  await page.getByText('No row fits.').waitFor()
  await page.getByLabel('To').fill('')
  await page.getByRole('cell', { name: 'session_created' }).waitFor()
  t.same(watched.faults, [])
})
