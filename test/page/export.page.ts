import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { Page } from 'playwright-core'
import { newSession } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'
import { needs } from '../support/programs.js'
import { closeBrowser, openTab, startWithPage, write } from './browser.js'

/** A session as a file: what an export holds, and that the HTML file runs and loads nothing wherever it is opened. */

const BROWSER = needs('chromium')
t.teardown(closeBrowser)

const RUN = "document.title='owned'"
const HOSTILE = [
  `</pre><script>${RUN}</script>`,
  `<img src=https://elsewhere.example/x onerror="${RUN}">`,
  `</style></title><svg onload="${RUN}">`,
  `"><meta http-equiv=refresh content="0;url=https://elsewhere.example/">`,
  '<link rel=stylesheet href=https://elsewhere.example/x.css><base href=https://elsewhere.example/>',
  '\u202Egnp.exe \u{E0041}\u{E0042} line one\r\nline two'
]

async function exported(page: Page, format: string): Promise<{ name: string; path: string }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByLabel('Export').selectOption({ label: format })
  ])
  return { name: download.suggestedFilename(), path: await download.path() }
}

t.test('exports hold what one may see, and the HTML file is dead', BROWSER, async t => {
  const { app, url, page, watched } = await startWithPage(t)
  const evil = { agent_id: `</b><script>${RUN}</script>`, agent_type: `"><img src=x onerror=${RUN}>` }
  const session_id = await newSession(app, evil, `</title><script>${RUN}</script>`)
  for (const content of HOSTILE)
    await write(app, session_id, content, evil, { metadata: { [content.slice(0, 90)]: content }, to: ['<i>bob'] })
  await write(app, session_id, 'a secret of ada', { agent_id: 'ada' }, { visibility: 'private' })
  await write(app, session_id, 'carries data', { agent_id: 'ada' }, { payload: { '</pre><b>': [1, HOSTILE[0]] } })
  await page.goto(`${url}/app/#/sessions/${session_id}`)
  await page.locator('.message').first().waitFor()

  const lines = await exported(page, 'JSON lines')
  t.equal(lines.name, `${session_id}.jsonl`)
  const text = await readFile(lines.path, 'utf8')
  const contents = text
    .trim()
    .split('\n')
    .map(line => (JSON.parse(line) as { content?: string }).content)
  for (const content of HOSTILE) t.ok(contents.includes(content), JSON.stringify(content))
  t.notMatch(text, /a secret of ada/)

  const file = await exported(page, 'One HTML file')
  t.equal(file.name, `${session_id}.html`)
  const saved = join(await temporaryFolder(t), 'a session.html')
  await rename(file.path, saved)
  t.notMatch(await readFile(saved, 'utf8'), /a secret of ada/)
  const anywhere = await openTab(t, url)
  const requests: string[] = []
  anywhere.page.on('request', request => requests.push(request.url()))
  const address = pathToFileURL(saved).href
  await anywhere.page.goto(address)
  await anywhere.page.waitForTimeout(500)
  t.same(requests, [address], 'it loads nothing')
  t.match(await anywhere.page.title(), `</title><script>${RUN}</script>`)
  t.equal(await anywhere.page.locator(':is(script, img, svg, link, base, iframe)').count(), 0)
  t.equal(await anywhere.page.locator('article').count(), HOSTILE.length + 1)
  const shown = await anywhere.page.evaluate<string>('document.body.textContent')
  for (const content of HOSTILE.slice(0, -1)) t.ok(shown.includes(content), content)
  t.match(shown, /\[U\+202E\]gnp\.exe \[U\+E0041\]\[U\+E0042\] line one\s+line two/)
  t.match(shown, /to <i>bob/)
  t.same([...watched.faults, ...anywhere.watched.faults], [])
})
