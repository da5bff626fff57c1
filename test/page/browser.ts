import type { Test } from 'tap'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { API_KEY, call, listen, ok, startApp, type As, type TestApp } from '../helper.js'
import { mustFind } from '../support/programs.js'

/** Debian's Chromium, headless, without what it does of its own accord on the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

let browser: Promise<Browser> | undefined

async function openBrowser(): Promise<Browser> {
  return (browser ??= chromium.launch({ executablePath: mustFind('chromium'), args: FLAGS }))
}

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close()
}

/** What a page did that it must never do. */
export interface Watched {
  /** Errors of scripts, violations of the policy, dialogs, requests to another host. */
  faults: string[]
  /** What the console said of requests that failed: where a test makes them fail, that is right. */
  failedRequests: string[]
}

/** A new tab, in a browser profile of its own, that is watched. */
export async function openTab(
  t: Test,
  url: string,
  options: BrowserContextOptions = {}
): Promise<{ page: Page; watched: Watched }> {
  const context = await (await openBrowser()).newContext({ viewport: { width: 1280, height: 800 }, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const watched: Watched = { faults: [], failedRequests: [] }
  page.on('pageerror', error => watched.faults.push(error.stack ?? error.message))
  page.on('dialog', dialog => {
    watched.faults.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', message => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    const text = `${message.text()} (${message.location().url})`
    if (/Failed to load resource|net::ERR_/.test(text)) watched.failedRequests.push(text)
    else watched.faults.push(text)
  })
  const { host } = new URL(url)
  page.on('request', request => {
    const to = new URL(request.url())
    if (to.protocol.startsWith('http') && to.host !== host) watched.faults.push(`a request to ${request.url()}`)
  })
  return { page, watched }
}

export async function signIn(
  page: Page,
  url: string,
  { key = API_KEY, name = 'person', admin = false }: { key?: string; name?: string; admin?: boolean } = {}
): Promise<void> {
  await page.goto(`${url}/app/`)
  await page.getByLabel('API key').fill(key)
  await page.getByLabel('Your name').fill(name)
  if (admin) await page.getByLabel('Use the rights of an admin').check()
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
}

/** An app that listens, and a tab that has signed in. */
export async function startWithPage(
  t: Test,
  more: Record<string, string> = {},
  options: BrowserContextOptions = {}
): Promise<{ app: TestApp; url: string; page: Page; watched: Watched }> {
  const app = await startApp(t, more)
  const url = await listen(app)
  const { page, watched } = await openTab(t, url, options)
  await signIn(page, url)
  return { app, url, page, watched }
}

/** Writes a message as an agent. @returns the answer */
export async function write(app: TestApp, session_id: string, content: string, as: As = {}, more = {}): Promise<any> {
  return ok(app, 'add_message', { session_id, content, ...more }, as)
}

export { call, ok }
