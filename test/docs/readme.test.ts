import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { ADMIN_API_KEY, API_KEY, listen, ROOT, startApp } from '../helper.js'
import { run } from '../support/run.js'

/** Runs what the pages show. */

async function page(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8')
}

test('the README is a front door, not the house', async t => {
  t.ok((await page('README.md')).trimEnd().split('\n').length <= 180)
})

test('the curl commands of the README run, in their order', async t => {
  const chapter = /^## Five minutes with curl\n([^]*?)^## /m.exec(await page('README.md'))?.[1] ?? ''
  const blocks = [...chapter.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block)
  t.equal(blocks.length, 6)
  for (const needed of ['curl', 'sh']) {
    if ((await run(needed, needed === 'curl' ? ['--version'] : ['-c', 'true'])).code !== 0)
      return t.comment(`They did not run: ${needed} is not here`)
  }
  const url = await listen(await startApp(t))
  // What a reader has after npm start: the folder with the generated keys. Only the port is another one.
  const folder = await mkdtemp(join(tmpdir(), 'scs-readme-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'data'))
  await writeFile(
    join(folder, 'data', 'secrets.json'),
    JSON.stringify({ api_key: API_KEY, admin_api_key: ADMIN_API_KEY })
  )
  t.ok(blocks[0]?.includes('http://127.0.0.1:23456'))
  const script = blocks.join('echo; echo "-- next"\n').replaceAll('http://127.0.0.1:23456', url)
  const { code, stdout, stderr } = await run('sh', ['-eu', '-c', script], { cwd: folder })
  t.equal(code, 0, 'they end well', { stderr })

  const answers = stdout
    .split('-- next\n')
    .map(part =>
      [...part.matchAll(/\{"success".*?\}(?=\{"success"|\s|$)/gs)].map(([text]) => JSON.parse(text) as unknown)
    )
  const [, , written = [], read = [], found = [], remembered = []] = answers
  t.match(written, [
    { success: true, message_id: Number },
    { success: true, message_id: Number }
  ])
  t.match(read, [
    { success: true, count: 1, messages: [{ sender: 'ada', content: 'The price is rounded before tax' }] }
  ])
  t.match(found, [{ success: true, results: [{ message: { sender: 'ada' } }] }])
  t.match(remembered, [
    { success: true, key: 'next step' },
    { success: true, value: { page: 'checkout', line: 42 } }
  ])
})

test('the Python of the README runs', async t => {
  const program = /^```python\n([^]*?)^```$/m.exec(await page('README.md'))?.[1] ?? ''
  t.match(program, 'shared_context')
  if ((await run('python3', ['-c', 'import httpx'])).code !== 0)
    return t.comment('It did not run: python3 cannot import httpx here')
  const url = await listen(await startApp(t))
  const { code, stdout, stderr } = await run('python3', ['-c', program], {
    env: {
      SHARED_CONTEXT_URL: url,
      SHARED_CONTEXT_API_KEY: API_KEY,
      PYTHONPATH: join(ROOT, 'clients/python/src'),
      PYTHONDONTWRITEBYTECODE: '1'
    }
  })
  t.equal(code, 0, 'it ends well', { stderr })
  t.equal(stdout, 'The price is rounded before tax\n')
})

test('the Python of the page about integration runs', async t => {
  const program = /^```python\n([^]*?)^```$/m.exec(await page('docs/integration.md'))?.[1]
  t.ok(program)
  if ((await run('python3', ['-c', 'import httpx'])).code !== 0)
    return t.comment('It did not run: python3 cannot import httpx here')
  const url = await listen(await startApp(t))
  const { code, stdout, stderr } = await run('python3', ['-c', program ?? ''], {
    env: { SHARED_CONTEXT_URL: url, SHARED_CONTEXT_API_KEY: API_KEY }
  })
  t.equal(code, 0, 'it ends well', { stderr })
  t.match(stdout, /^100(\.0)? ada Hello from Python\n\d+\n$/)
})
