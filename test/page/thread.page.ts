import t from 'tap'
import { newSession, ok, type TestApp } from '../helper.js'
import { needs } from '../support/programs.js'
import { closeBrowser, startWithPage, write } from './browser.js'

/** A thread is shown whole, wherever in it one comes from. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

const ADA = { agent_id: 'ada' }

async function fill(app: TestApp, session_id: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 100)
    await ok(app, 'add_messages', {
      session_id,
      messages: Array.from({ length: Math.min(100, left) }, (_, i) => ({ content: `in between ${i}` }))
    })
}

t.test('from its first message to its last, each below what it answers', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app)
  const say = async (content: string, parent_message_id?: number, more = {}) =>
    write(app, session_id, content, ADA, { ...more, ...(parent_message_id !== undefined && { parent_message_id }) })
  const first = await say('the first')
  const left = await say('left', first.message_id)
  await fill(app, session_id, 300)
  const right = await say('right', first.message_id)
  const secret = await say('not for you', right.message_id, { visibility: 'private' })
  await say('below what is not for you', secret.message_id)
  await fill(app, session_id, 300)
  await say('left of left', left.message_id)
  let deepest = await say('1 down', right.message_id)
  for (let depth = 2; depth <= 12; depth++) deepest = await say(`${depth} down`, deepest.message_id)
  await fill(app, session_id, 1100)
  const last = await say('at the end', deepest.message_id)

  const thread = page.getByRole('complementary', { name: 'Thread' })
  const shown = async () => (await thread.locator('.content').allTextContents()).join(' | ')
  const downwards = Array.from({ length: 12 }, (_, i) => `${i + 1} down`).join(' | ')
  const whole = `the first | left | left of left | right | ${downwards} | at the end`
  const isWhole = async (what: string) => {
    await thread.getByText('17 messages').waitFor()
    t.equal(await shown(), whole, what)
  }
  const open = async (seq: number) => {
    await page.goto(`${url}/app/#/sessions/${session_id}/${seq}`)
    await page.locator('.timeline .message.marked').getByRole('button', { name: 'Thread' }).click()
  }
  await open(last.seq)
  await isWhole('opened at its end')
  t.match(await thread.locator('.marked').textContent(), /at the end/)
  const depth = async (text: string) => (await thread.getByText(text, { exact: true }).boundingBox())?.x ?? 0
  t.ok((await depth('left')) > (await depth('the first')), 'an answer stands to the right')
  t.equal(await depth('11 down'), await depth('12 down'), 'not for ever')
  await page.keyboard.press('Escape')
  await open(left.seq)
  await isWhole('opened far up, where the timeline holds neither its end nor what is after it')
  await say('it comes live', deepest.message_id)
  await thread.getByText('it comes live').waitFor()
  await page.keyboard.press('Escape')
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.getByText('it comes live').waitFor()
  await page
    .getByRole('article', { name: `number ${last.seq}` })
    .getByRole('button', { name: 'Thread' })
    .click()
  await thread.getByText('18 messages').waitFor()
  await ok(app, 'delete_message', { message_id: right.message_id }, ADA)
  await thread.getByText('This message was taken back.').waitFor()
  t.equal(await shown(), `${whole.replace('right | ', '')} | it comes live`, 'it still holds the thread together')
  t.same(watched.faults, [])
})

t.test('a thread that is larger is read as far as one asks', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const session_id = await newSession(app)
  const { message_id } = await write(app, session_id, 'the first of all', ADA)
  await fill(app, session_id, 5300)
  const second = await write(app, session_id, 'much later', ADA, { parent_message_id: message_id })
  for (let i = 0; i < 3; i++)
    await ok(app, 'add_messages', {
      session_id,
      messages: Array.from({ length: 100 }, (_, n) => ({
        content: `answer ${i * 100 + n}`,
        parent_message_id: second.message_id
      }))
    })
  const calls: unknown[] = []
  page.on('request', request => {
    if (request.url().endsWith('/get_messages')) calls.push(request.postData())
  })
  await page.goto(`${url}/app/#/sessions/${session_id}/${second.seq}`)
  await page.locator('.message.marked').waitFor()
  await page.waitForTimeout(1000)
  calls.length = 0
  await page.locator('.timeline .message.marked').getByRole('button', { name: 'Thread' }).click()
  const thread = page.getByRole('complementary', { name: 'Thread' })
  const back = thread.getByRole('button', { name: 'Look further back' })
  await back.waitFor()
  t.ok(calls.length <= 50, `${calls.length} calls`)
  await thread.getByText('301 messages').waitFor()
  t.equal(await thread.locator('.message').count(), 101)
  await thread.getByRole('button', { name: 'Show more answers: 200' }).click()
  await thread.getByText('answer 199', { exact: true }).waitFor()
  await thread.getByRole('button', { name: 'Show more answers: 100' }).click()
  await thread.getByText('answer 299', { exact: true }).waitFor()
  await back.click()
  await thread.getByText('the first of all', { exact: true }).waitFor()
  await back.waitFor({ state: 'detached' })
  t.same(watched.faults, [])
})
