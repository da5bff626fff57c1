import { gzipSync } from 'node:zlib'
import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { environment, startApp } from '../helper.js'

/** How the service hands out the page. What the page does is in test/page, in a browser. */

t.test('the page, its files, and their headers', async t => {
  const { server } = await startApp(t)
  const get = (url: string) => server.inject({ url })
  for (const [from, to] of [
    ['/', 'app/'],
    ['/app', 'app/']
  ] as const)
    t.match(await get(from), { statusCode: 302, headers: { location: to } }, `${from}: relative, for proxies`)
  const page = await get('/app/')
  t.match(page, { statusCode: 200, headers: { 'content-type': /^text\/html/, 'cache-control': 'no-cache' } })
  const policy = page.headers['content-security-policy'] as string
  t.match(policy, /default-src 'none'.*frame-ancestors 'none'/)
  t.notMatch(policy, /unsafe|\*|https?:/)
  const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file as string)
  t.same(files, ['icon.svg', 'page.css', 'page.js'], 'relative, and nothing of another host')
  for (const file of files) {
    const { statusCode, headers } = await get(`/app/${file}`)
    t.equal(statusCode, 200, file)
    t.equal((await server.inject({ url: `/app/${file}`, headers: { 'if-none-match': headers.etag } })).statusCode, 304)
  }
  const script = gzipSync((await get('/app/page.js')).rawPayload).length
  t.ok(script <= 150 * 1024, `the script is ${script} bytes with gzip`)
  t.comment(`the script is ${script} bytes with gzip`)
  for (const file of ['index.html', '../index.js', '%2e%2e/package.json', 'package.json'])
    t.equal((await get(`/app/${file}`)).statusCode, 404, file)
  t.equal((await server.inject({ method: 'POST', url: '/app/' })).statusCode, 405)
})

t.test('off: there is nothing', async t => {
  const { server } = await startApp(t, { DASHBOARD: 'off' })
  for (const url of ['/', '/app/', '/app/page.js']) t.equal((await server.inject({ url })).statusCode, 404, url)
  const env = environment('postgres://u:p@localhost/d')
  t.equal(loadConfig(env).dashboard, true)
  t.equal(loadConfig({ ...env, NODE_ENV: 'production' }).dashboard, false)
  t.equal(loadConfig({ ...env, NODE_ENV: 'production', DASHBOARD: 'on' }).dashboard, true)
})
