import t from 'tap'
import { API_KEY, listen, startApp } from '../helper.js'
import { openBrowser } from '../support/chromium.js'
import { until } from '../support/rest.js'

/**
 * The page of the description, in a browser, under its policy: it shows every tool, and a call made from it is
 * answered.
 */

t.test('GET /docs works under its Content-Security-Policy', async t => {
  const page = await openBrowser(t)
  if (page === undefined) {
    t.comment('no Chromium here: the page was not opened')
    return
  }
  const app = await startApp(t)
  const base = await listen(app)
  await page.open(`${base}/docs`)
  const shown = async () => Number(await page.evaluate('document.querySelectorAll(".opblock").length'))
  await until('the page shows the tools', async () => (await shown()) >= app.kernel.tools.length)

  const click = (selector: string) => page.evaluate(`document.querySelector(${JSON.stringify(selector)})?.click()`)
  const appears = (selector: string) =>
    until(
      selector,
      async () => (await page.evaluate(`document.querySelector(${JSON.stringify(selector)}) !== null`)) === true
    )
  const tool = '.opblock[id$="get_usage_guidance"]'
  await click(`${tool} .opblock-summary-control`)
  await appears(`${tool} .try-out__btn`)
  await click(`${tool} .try-out__btn`)
  await appears(`${tool} .execute`)
  await click(`${tool} .execute`)
  await appears(`${tool} .live-responses-table`)
  t.match(
    await page.evaluate(`document.querySelector('${tool} .live-responses-table').innerText`),
    /200[^]*guidance/,
    'a call from the page is answered'
  )
  t.same(page.complaints, [], 'nothing was blocked, and nothing did not load')

  // The policy is there, and bites: what the page may not do.
  t.equal(
    await page.evaluate(
      `fetch('http://127.0.0.1:9/', { method: 'POST', body: '${API_KEY}' }).then(() => 'sent', () => 'refused')`
    ),
    'refused'
  )
  t.equal(
    await page.evaluate(
      'new Promise(done => { const script = document.createElement("script"); ' +
        'script.textContent = "window.injected = true"; document.body.append(script); ' +
        'setTimeout(() => done(window.injected === true), 100) })'
    ),
    false,
    'a script in the page does not run'
  )
  t.match(page.complaints.join('\n'), /Content Security Policy/)
})
