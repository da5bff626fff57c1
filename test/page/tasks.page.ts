import t from 'tap'
import { ADMIN_API_KEY, newSession, ok } from '../helper.js'
import { needs } from '../support/programs.js'
import { call, closeBrowser, openTab, signIn, startWithPage } from './browser.js'

/** Tasks and held names on the page, as agents move them. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

t.test('tasks move on the board as agents work', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app)
  await page.goto(`${url}/app/#/tasks`)
  await page.getByText('There are no tasks yet.').waitFor()
  await page.getByRole('button', { name: 'New task' }).click()
  await page.getByLabel('What is to be done?').fill('Sweep the floor')
  await page.getByRole('button', { name: 'Create it' }).click()
  const column = (name: string) => page.getByRole('region', { name, exact: true })
  await column('Waiting').getByText('Sweep the floor').waitFor()
  const { task } = await ok(app, 'create_task', { title: 'Paint the wall', session_id }, { agent_id: 'ada' })
  await column('Waiting').getByText('Paint the wall').waitFor()
  const { lease } = await ok(app, 'claim_task', { task_id: task.task_id }, { agent_id: 'bob' })
  await column('In work').getByText('Paint the wall').waitFor()
  t.match(await column('In work').textContent(), /bob/)
  await ok(
    app,
    'complete_task',
    { task_id: task.task_id, lease_token: lease.token, result: { colour: 'blue' } },
    { agent_id: 'bob' }
  )
  await column('Completed').getByText('Paint the wall').click()
  await page.getByText('"colour": "blue"').waitFor()
  t.match(await page.locator('.history').textContent(), /Created.*ada.*In work.*bob.*Completed.*bob/)
  await page.keyboard.press('Escape')

  await column('Waiting').getByText('Sweep the floor').click()
  await page.getByRole('button', { name: 'Cancel the task' }).click()
  await page.getByLabel('Why?').fill('it is clean')
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the task' }).click()
  await column('Canceled').getByText('Sweep the floor').waitFor()
  t.same(watched.faults, [])
})

t.test('who closes a task and goes on at once is not called back', BROWSER, async t => {
  const { app, url, page } = await startWithPage(t)
  await ok(app, 'create_task', { title: 'Sweep the floor' })
  await page.goto(`${url}/app/#/tasks`)
  const card = page.locator('.card')
  await card.click()
  await page.getByText('What happened').waitFor()
  await page.evaluate("document.querySelector('dialog').close(); location.hash = '#/agents'")
  await page.locator('.agent-row').first().waitFor()
  await page.waitForTimeout(200)
  t.match(page.url(), /#\/agents$/)
  await page.goto(`${url}/app/#/tasks`)
  await card.click()
  await page.getByText('What happened').waitFor()
  await page.keyboard.press('Escape')
  await page.waitForURL(/#\/tasks$/)
})

t.test('who made a task, and an admin, free it from an agent that hangs', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const make = async (title: string, as: object) => (await ok(app, 'create_task', { title }, as)).task.task_id as string
  const [own, other] = [await make('Mine', { agent_id: 'person' }), await make("Ada's", { agent_id: 'ada' })]
  const leases = new Map<string, number>()
  for (const task_id of [own, other])
    leases.set(task_id, (await ok(app, 'claim_task', { task_id }, { agent_id: 'bob' })).lease.token)
  const admin = await openTab(t, url)
  await signIn(admin.page, url, { key: ADMIN_API_KEY, name: 'operator', admin: true })
  await page.goto(`${url}/app/#/tasks/${other}`)
  await page.getByText('What happened').waitFor()
  t.equal(await page.getByRole('button', { name: /Release/ }).count(), 0, 'who has no right to it is not offered it')
  for (const [tab, task_id] of [
    [page, own],
    [admin.page, other]
  ] as const) {
    await tab.goto(`${url}/app/#/tasks/${task_id}`)
    await tab.getByRole('button', { name: 'Release the task …' }).click()
    await tab.getByText('bob may still be working on it').waitFor()
    await tab.getByLabel('What must the next one know?').fill('bob hangs')
    await tab.getByRole('dialog').getByRole('button', { name: 'Release the task', exact: true }).click()
    await tab.locator('.said', { hasText: 'bob hangs' }).waitFor()
    t.match(
      await tab.locator('.history').textContent(),
      /Created.*In work by bob.*Given back by (person|operator)bob hangs/
    )
    t.equal(await tab.getByRole('button', { name: /Release/ }).count(), 0, 'nobody holds it any more')
    await tab.keyboard.press('Escape')
    t.match(await ok(app, 'get_task', { task_id }), { task: { state: 'submitted', note: 'bob hangs' } })
    const held = { task_id, lease_token: leases.get(task_id) }
    t.match((await call(app, 'renew_task', held, { agent_id: 'bob' })).body, { code: 'LEASE_LOST' })
  }
  await page.getByRole('region', { name: 'Waiting', exact: true }).getByText('Mine').waitFor()
  t.same([...watched.faults, ...admin.watched.faults], [])
})

t.test('an admin ends the lease of an agent', BROWSER, async t => {
  const { app, url, page } = await startWithPage(t)
  await ok(app, 'acquire_lease', { names: ['deploy'], ttl_seconds: 600, purpose: 'rolling out' }, { agent_id: 'ada' })
  await page.goto(`${url}/app/#/tasks`)
  await page.getByRole('row', { name: /deploy.*ada.*rolling out/ }).waitFor()
  t.equal(await page.getByRole('button', { name: /Release/ }).count(), 0, 'who is no admin is not offered it')
  const admin = await openTab(t, url)
  await signIn(admin.page, url, { key: ADMIN_API_KEY, name: 'operator', admin: true })
  await admin.page.goto(`${url}/app/#/tasks`)
  await admin.page.getByRole('button', { name: 'Release …' }).click()
  await admin.page.getByRole('dialog').getByRole('button', { name: 'Release it' }).click()
  await page.getByText('Nobody holds a name.').waitFor()
})
