import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { ADMIN_API_KEY, listen, newSession, ok, ROOT, startApp, type TestApp } from '../helper.js'
import { startTestServer, stopTestServer } from '../support/cluster.js'
import { mustFind } from '../support/programs.js'
import { signIn } from './browser.js'

// Makes the pictures of the page in docs/images, light and dark, wide and phone: npm run screenshots

const FOLDER = join(ROOT, 'docs', 'images')
const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 780 } }

const TALK: ReadonlyArray<readonly [string, string, Record<string, unknown>?]> = [
  ['planner', 'Goal for today: **orders keep their total in cents**. I made three tasks; claim them in order.'],
  ['claude-code', 'Taking the migration. `orders.total` is read in 14 places, see below.', { file: 'src/orders.ts' }],
  [
    'claude-code',
    '```ts\nexport const total = (items: Item[]) =>\n  items.reduce((sum, { cents }) => sum + cents, 0)\n```\n\n' +
      '- no rounding any more\n- the old column stays until the next release'
  ],
  ['gemini-cli', 'The gateway answers 502 for an empty cart. Is that known? @planner'],
  ['planner', 'Yes: the empty cart never reached it before. Please write a test that shows it.'],
  ['codex', 'Reviewed the migration: the index on `orders(total)` is still of the old column.']
]

async function fill(app: TestApp): Promise<string> {
  const as = (agent_id: string) => ({ agent_id, agent_type: agent_id.split('-')[0] as string })
  await newSession(app, as('codex'), 'Nightly triage of failing tests')
  await newSession(app, as('gemini-cli'), 'Why is the checkout slow?')
  const session_id = await newSession(app, as('planner'), 'Checkout rewrite: plan, build, review')
  const tasks: string[] = []
  for (const [title, needs] of [
    ['Write the migration', []],
    ['Change the readers of orders.total', [0]],
    ['Review', [0, 1]]
  ] as const) {
    const depends_on = needs.map(at => tasks[at] as string)
    const more = depends_on.length > 0 ? { depends_on } : {}
    const { task } = await ok(app, 'create_task', { title, session_id, ...more }, as('planner'))
    tasks.push(task.task_id as string)
  }
  const { task, lease } = await ok(app, 'claim_task', {}, as('claude-code'))
  let asked: number | undefined
  for (const [agent_id, content, metadata = {}] of TALK) {
    const parent = agent_id === 'planner' && asked !== undefined ? { parent_message_id: asked } : {}
    const { message_id } = await ok(app, 'add_message', { session_id, content, metadata, ...parent }, as(agent_id))
    if (agent_id === 'gemini-cli') asked = message_id as number
  }
  await ok(
    app,
    'complete_task',
    { task_id: task.task_id, lease_token: lease.token, result: { migration: '0042', rows: 18_204 } },
    as('claude-code')
  )
  await ok(app, 'claim_task', {}, as('gemini-cli'))
  await ok(app, 'create_task', { title: 'Write the release notes', priority: 5 }, as('planner'))
  await ok(app, 'acquire_lease', { names: ['deploy/staging'], ttl_seconds: 900, purpose: 'rolling out' }, as('codex'))
  await ok(app, 'set_status', { status: 'changing the readers of orders.total' }, as('gemini-cli'))
  await ok(app, 'create_api_key', { agent_id: 'research-*', agent_type: 'claude' }, { admin: true })
  return session_id
}

/** Each screen: its name, its address after the #, and what is there once it is complete. */
const screens = (session_id: string): ReadonlyArray<readonly [string, string, string]> => [
  ['sessions', '/', '.sparkline'],
  ['session', `/sessions/${session_id}`, '.message'],
  ['search', '/search/who%20reads%20orders.total%3F', '.hit'],
  ['tasks', '/tasks', '.card'],
  ['agents', '/agents', 'td'],
  ['audit', '/audit', 'td'],
  ['keys', '/keys', 'td'],
  ['workspaces', '/workspaces', 'td'],
  ['health', '/health', 'canvas']
]

async function shoot(page: Page, url: string, session_id: string, suffix: string): Promise<void> {
  await signIn(page, url, { key: ADMIN_API_KEY, name: 'operator', admin: true })
  for (const [name, path, ready] of screens(session_id)) {
    await page.goto(`${url}/app/#${path}`)
    await page.locator(ready).first().waitFor()
    // What comes by the event stream, and the end of every transition.
    await page.waitForTimeout(800)
    await page.screenshot({ path: join(FOLDER, `${name}-${suffix}.png`) })
  }
}

const ends: Array<() => unknown> = []
await startTestServer()
const browser = await chromium.launch({ executablePath: mustFind('chromium'), args: ['--no-sandbox', '--disable-gpu'] })
try {
  await mkdir(FOLDER, { recursive: true })
  const app = await startApp({ teardown: end => ends.push(end) }, { AUDIT_HMAC_KEY: 'a'.repeat(64) })
  const url = await listen(app)
  const session_id = await fill(app)
  for (const [size, viewport] of Object.entries(SIZES))
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport, colorScheme, locale: 'en-GB' })
      await shoot(await context.newPage(), url, session_id, `${colorScheme}-${size}`)
      await context.close()
    }
} finally {
  await browser.close()
  for (const end of ends.reverse()) await end()
  await stopTestServer()
}
