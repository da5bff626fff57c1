import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { compiled, environment, runProgram, runToEnd } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'
import { quietPort } from '../support/ports.js'

/**
 * What stands in the way of a start, tried by real processes: each is a sentence that says what to do, never a stack.
 */

const STACK = /\n {4}at |\.[jt]s:\d+/

/** A server on an embedded PostgreSQL in that folder. */
function embedded(DATA_DIR: string, more: Record<string, string> = {}): Record<string, string> {
  const { DATABASE_URL: _none, ...env } = environment('', { DATA_DIR, ...more })
  return env
}

t.test('a second server', async t => {
  const folder = await temporaryFolder(t)
  const port = String(await quietPort())
  const first = await runProgram(t, ['serve'], embedded(join(folder, 'data'), { PORT: port }))

  t.test('on the same folder names the process that holds it', async t => {
    const { code, stdout, stderr } = await runToEnd(['serve'], embedded(join(folder, 'data')))
    t.equal(code, 1)
    t.match(stderr, new RegExp(`Another server \\(process ${first.process.pid}, since 20`))
    t.match(stderr, join(folder, 'data'))
    t.match(stderr, /Stop it first, or give this one a DATA_DIR of its own\./)
    t.notMatch(stdout + stderr, STACK)
  })
  t.test('on the same port names the address, and touches no folder', async t => {
    const { code, stdout, stderr } = await runToEnd(['serve'], embedded(join(folder, 'other'), { PORT: port }))
    t.equal(code, 1)
    t.match(stderr, `PORT is ${port}, on which a shared-context-server runs already: http://127.0.0.1:${port}.`)
    t.match(stderr, /Use that one, or set a free port/)
    t.notMatch(stdout + stderr, STACK)
    await t.rejects(mkdir(join(folder, 'other', 'data')), { code: 'ENOENT' })
  })
  t.test('goes on to serve', async t => {
    t.equal((await fetch(`${first.url}/health`)).status, 200)
  })
  t.teardown(() => first.stop('SIGINT'))
})

t.test("another program's port", async t => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const { code, stdout, stderr } = await runToEnd(
    ['serve'],
    environment('postgres://nobody@127.0.0.1:1/x', { PORT: String(port) })
  )
  t.equal(code, 1)
  t.match(stderr, `PORT is ${port}, which another program uses on 127.0.0.1; set a free port`)
  t.notMatch(stdout + stderr, STACK)
})

t.test('a folder that cannot be made or written', async t => {
  const folder = await temporaryFolder(t)
  const closed = join(folder, 'closed')
  await mkdir(closed)
  await chmod(closed, 0o500)
  // Root may write wherever the file system lets it.
  const places = ['/proc/data', ...(process.getuid?.() === 0 ? [] : [join(closed, 'data')])]
  for (const place of places) {
    const { code, stdout, stderr } = await runToEnd(['serve'], embedded(place))
    t.equal(code, 1, place)
    t.match(stderr, place)
    t.notMatch(stdout + stderr, STACK, stderr)
    t.ok(stderr.trim().split('\n').length <= 3, stderr)
  }
})

t.test('a file system that is read-only: an empty folder, one that holds data, a home', async t => {
  const folder = await temporaryFolder(t)
  // A mount of our own, which nobody else sees and which ends with the process.
  const inside = (script: string, env: Record<string, string>) =>
    spawnSync('unshare', ['--mount', 'sh', '-c', script], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      encoding: 'utf8'
    })
  const readOnly = `mount --bind '${folder}' '${folder}' && mount -o remount,ro,bind '${folder}'`
  if (inside(readOnly, {}).status !== 0)
    return t.comment('It did not run: this machine does not let us mount (unshare)')
  const serve = `${readOnly} && exec '${process.execPath}' '${compiled()}' serve`
  const used = join(folder, 'used')
  await (await runProgram(t, ['serve'], embedded(used))).stop('SIGINT')
  for (const [what, script, env] of [
    ['an empty folder', serve, embedded(join(folder, 'new'))],
    ['one that holds data', serve, embedded(used)],
    ['the current folder', serve.replace('exec', `cd '${folder}' && exec`), { ...embedded(''), DATA_DIR: '' }]
  ] as const) {
    const { status, stdout, stderr } = inside(script, { ...env, HOME: folder })
    t.equal(status, 1, what)
    t.match(stderr, folder, what)
    t.match(stderr, /read-only|EROFS|cannot be written|could not be/i, stderr)
    t.match(stderr, /DATA_DIR/, 'and what to set')
    t.notMatch(stdout + stderr, STACK, stderr)
    t.ok(stderr.trim().split('\n').length <= 2, stderr)
  }
  const again = await runProgram(t, ['serve'], embedded(used))
  t.equal(await again.stop('SIGINT'), 0, 'and nothing of it has suffered')
})

t.test('Ctrl-C during the start, at several moments, and twice', async t => {
  const folder = await temporaryFolder(t)
  const program = compiled()
  for (const [i, moments] of [[50], [400], [900], [1500], [3000], [400, 450], [1500, 1510]].entries()) {
    const child = spawn(process.execPath, [program, 'serve'], {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...embedded(join(folder, `data-${i % 2}`)) },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const ended = new Promise<unknown>(resolve =>
      child.once('exit', (code, signal) => {
        resolve(signal ?? code)
      })
    )
    let passed = 0
    for (const moment of moments) {
      await sleep(moment - passed)
      passed = moment
      child.kill('SIGINT')
    }
    const how = await ended
    const what = `${moments.join(' and ')} ms: ${String(how)} ${output}`
    // Before the program has said what it does with the signal, the system ends it; once it serves, it stops in order.
    t.ok(how === 'SIGINT' || how === 130 || how === 0, what)
    t.notMatch(output, STACK, what)
  }
  const after = await runProgram(t, ['serve'], embedded(join(folder, 'data-0')))
  t.equal((await fetch(`${after.url}/health`)).status, 200, 'and the next start is as if nothing had been')
  t.equal(await after.stop('SIGINT'), 0)
})
