import t from 'tap'
import { newSession, ok } from '../helper.js'
import { needs } from '../support/programs.js'
import { closeBrowser, startWithPage } from './browser.js'

/** A session of 100 000 messages, scrolled from its newest message to its first. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

const MESSAGES = 100_000
const WRITERS = 8

t.test('100 000 messages, from the newest to the first', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app)
  const batches = MESSAGES / 100
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let batch = writer; batch < batches; batch += WRITERS)
        await ok(app, 'add_messages', {
          session_id,
          messages: Array.from({ length: 100 }, (_, i) => ({
            content: `${batch * 100 + i}: ${'some words of a message '.repeat(1 + (i % 7))}`
          }))
        })
    })
  )
  const { messages } = await ok(app, 'get_messages', { session_id, limit: 1, order: 'asc' })
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.locator('.message').first().waitFor()
  const most = await page.evaluate<number>(`(async () => {
    const scroller = document.querySelector('.timeline-scroll')
    let elements = 0
    const end = Date.now() + 240_000
    while (Date.now() < end && document.querySelector('[aria-label$="number ${messages[0].seq}"]') === null) {
      scroller.scrollTop = Math.max(0, scroller.scrollTop - 20000)
      await new Promise(resolve => setTimeout(resolve, 10))
      elements = Math.max(elements, document.querySelectorAll('.message').length)
    }
    return elements
  })()`)
  await page.locator(`[aria-label$="number ${messages[0].seq}"]`).waitFor({ timeout: 5000 })
  t.ok(most < 200, `only what is in view is in the page: at most ${most} messages`)
  // What is shown keeps its place while older messages are loaded before it, and while new ones come.
  const before = await page.locator('.message').first().textContent()
  await ok(app, 'add_message', { session_id, content: 'one more' })
  await page.waitForTimeout(500)
  t.equal(await page.locator('.message').first().textContent(), before, 'a new message moves nothing')
  await page.getByRole('button', { name: /new/ }).last().click()
  await page.getByText('one more').waitFor()
  t.same(watched.faults, [])
})
