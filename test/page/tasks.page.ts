import t from 'tap'
import { newSession, ok } from '../helper.js'
import { needs } from '../support/programs.js'
import { closeBrowser, openTab, signIn, startWithPage } from './browser.js'
import { ADMIN_API_KEY } from '../helper.js'

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
  t.match(await page.locator('.history').textContent(), /Waiting.*ada.*In work.*bob.*Completed.*bob/)
  await page.keyboard.press('Escape')

  await column('Waiting').getByText('Sweep the floor').click()
  await page.getByRole('button', { name: 'Cancel the task' }).click()
  await page.getByLabel('Why?').fill('it is clean')
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the task' }).click()
  await column('Canceled').getByText('Sweep the floor').waitFor()
  t.same(watched.faults, [])
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
