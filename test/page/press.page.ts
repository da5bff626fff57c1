import t from 'tap'
import { newSession, ok } from '../helper.js'
import { needs } from '../support/programs.js'
import { until } from '../support/until.js'
import { closeBrowser, startWithPage, write } from './browser.js'

/** Pressing a button of the timeline takes a while, in which messages may come: the press is not lost. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

const PHONE = { viewport: { width: 390, height: 800 } }

t.test('a button that is pressed while the timeline moves does what it says', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t, {}, PHONE)
  const session_id = await newSession(app, {}, 'short')
  for (let i = 0; i < 30; i++) await write(app, session_id, `number ${i} `.repeat(9), { agent_id: 'ada' })
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  const last = page.locator('.message', { hasText: 'number 29' })
  const thread = page.getByRole('complementary', { name: 'Thread' })
  const button = last.getByRole('button', { name: 'Thread' })
  /** Whether the mouse is on the button: it may have moved away since the mouse came there. */
  const isUnderMouse = async () => {
    const box = await button.boundingBox()
    if (box === null) return false
    const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 }
    await page.mouse.move(at.x, at.y)
    return page.evaluate<boolean>(`(() => {
      const found = document.elementFromPoint(${at.x}, ${at.y})
      return found?.textContent.trim() === 'Thread' && found.closest('.message')?.textContent.includes('number 29')
    })()`)
  }
  const press = async () => {
    await until(async () => {
      await button.hover()
      return isUnderMouse()
    }, 'the mouse is on the button')
    await page.mouse.down()
  }
  await page.locator('.live-live').waitFor()
  await press()
  for (let i = 0; i < 5; i++) await write(app, session_id, `meanwhile ${i}`, { agent_id: 'bob' })
  await ok(app, 'update_session', { session_id, purpose: 'a purpose that takes some lines '.repeat(6).trim() })
  await page.waitForTimeout(1000)
  await page.mouse.up()
  await thread.getByText('number 29').waitFor()
  await page.keyboard.press('Escape')
  await thread.waitFor({ state: 'detached' })
  await page.getByText('meanwhile 4').waitFor()
  await page.getByRole('heading', { name: /takes some lines/ }).waitFor()

  await press()
  await page.evaluate("document.querySelector('.timeline-scroll').scrollTop -= 4")
  await page.waitForTimeout(60)
  await page.mouse.up()
  await thread.getByText('number 29').waitFor()

  t.comment('who holds a button for long still sees what comes')
  await page.keyboard.press('Escape')
  await press()
  await ok(app, 'update_session', { session_id, purpose: 'at long last' })
  await page.getByRole('heading', { name: 'at long last' }).waitFor()
  await page.mouse.up()
  t.same(watched.faults, [])
})
