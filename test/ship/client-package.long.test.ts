import { execFileSync, spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { API_KEY, listen, ROOT, runToEnd, startApp } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'

/** The npm package of the client: what is in it, its quick start as it stands there, and its types by themselves. */

const SOURCE = join(ROOT, 'clients', 'typescript')
const readme = await readFile(join(SOURCE, 'README.md'), 'utf8')

function npm(args: string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' })
}

t.test('it builds, installs into an empty folder, and its quick start runs', async t => {
  const folder = await temporaryFolder(t)
  const said = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], SOURCE)) as object
  const [{ filename, files }] = Object.values(said) as [{ filename: string; files: Array<{ path: string }> }]
  const paths = files.map(({ path }) => path)
  for (const path of [
    'LICENSE',
    'README.md',
    'package.json',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/langgraph/index.d.ts'
  ])
    t.ok(paths.includes(path), path)
  t.same(
    paths.filter(path => !/^(dist\/.*\.(js|d\.ts)|LICENSE|README\.md|package\.json)$/.test(path)),
    []
  )
  await writeFile(join(folder, 'package.json'), '{"private": true}')
  // It needs no other package, so that no registry is asked.
  npm(['install', '--offline', '--no-audit', '--no-fund', join(folder, filename)], folder)

  const app = await startApp(t)
  const url = await listen(app)
  const [, quickStart = ''] = /```js\n(\/\/ quick-start\.mjs\n[^]*?)```/.exec(readme) ?? []
  const file = join(folder, 'quick-start.mjs')
  await writeFile(file, quickStart)
  const env = { SHARED_CONTEXT_URL: url, SHARED_CONTEXT_API_KEY: API_KEY }
  t.match(await runToEnd([], env, { file, cwd: folder }), {
    code: 0,
    stderr: '',
    stdout: /^\d+(\.\d+)? ada The price is rounded before tax\n1 The price is rounded before tax\n$/
  })

  await writeFile(join(folder, 'typed.mts'), TYPED)
  const options = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2022', 'dom'],
    types: []
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['typed.mts'] }))
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')], {
    cwd: folder,
    encoding: 'utf8'
  })
  t.equal(status, 0, stdout)
})

/** Its types hold in a program that knows nothing of Node. */
const TYPED = `
import { LeaseHeldError, type Message, SharedContext } from 'shared-context-client'
const client = new SharedContext({ apiKey: 'k', agentId: 'a' })
const page: { messages: Message[] } = await client.getMessages({ session_id: 's', limit: 3 })
for (const { to = [], content } of page.messages) [...to, content].map(text => text.length)
for await (const { purpose, unread } of client.each('list_sessions', { active: true })) purpose.at(unread.messages)
for await (const { event, data } of client.events()) if (event === 'message_added') data.message.content.at(0)
await using lease = await client.lease('deploy').catch(error => {
  if (error instanceof LeaseHeldError) throw error.suggestions.at(0)
  throw error
})
lease.token().toFixed()
// @ts-expect-error an argument that there is not
await client.addMessage({ session_id: 's', content: 'c', text: 't' })
// @ts-expect-error an argument that is missing
await client.addMessage({ content: 'c' })
// @ts-expect-error a list that is none
for await (const each of client.each('get_session')) each
`
