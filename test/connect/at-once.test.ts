import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { withFileLock } from '../../src/connect/lock.js'
import { runToEnd } from '../helper.js'
import { quietPort } from '../support/ports.js'
import { needsTerminal, onTerminal } from '../support/terminal.js'

/** Two runs of the command at the same time, as processes. No server runs: the key is given. */

async function newHome() {
  const home = await mkdtemp(join(tmpdir(), 'connect-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  const settings = join(home, 'settings')
  const env = {
    ...{ HOME: home, USERPROFILE: home, XDG_CONFIG_HOME: settings, APPDATA: settings },
    ...{ SHARED_CONTEXT_URL: `http://127.0.0.1:${await quietPort()}`, SHARED_CONTEXT_API_KEY: 'scs_given_key' }
  }
  const folder = process.platform === 'darwin' ? join(home, 'Library', 'Application Support') : settings
  return { home, env, folder: join(folder, 'shared-context-server') }
}

const recordIn = async (folder: string) => JSON.parse(await readFile(join(folder, 'connected.json'), 'utf8')).files

t.test('one after the other works on a file, and a lock that was left behind stops nobody', async t => {
  const { home } = await newHome()
  const path = join(home, 'new', 'connected.json')
  const lock = `${path}.lock`
  let running = 0
  const work = async () => {
    t.equal(++running, 1, 'alone')
    await sleep(20)
    running -= 1
  }
  await Promise.all(Array.from({ length: 5 }, () => withFileLock(path, work)))
  await t.rejects(
    withFileLock(path, () => Promise.reject(new Error('work'))),
    /^work$/
  )
  t.same(await readdir(join(home, 'new')), [], 'no lock is left')

  const times = { sign: 50, stale: 400, wait: 1000 }
  await writeFile(lock, 'of a run that was ended')
  await Promise.all(Array.from({ length: 5 }, () => withFileLock(path, work, times)))
  t.same(await readdir(join(home, 'new')), [], 'nor a part of one')

  const waiting = withFileLock(path, () => sleep(2500), times)
  await sleep(100)
  const message = `Another run of this command still writes. Wait for its end. If none runs, delete ${lock}.`
  await t.rejects(withFileLock(path, work, times), { message })
  await waiting
  await withFileLock(path, () => writeFile(lock, 'of another run'), times)
  t.equal(await readFile(lock, 'utf8'), 'of another run', 'no run removes the lock of another')
  await writeFile(join(home, 'file'), '')
  const under = join(home, 'file', 'connected.json')
  await t.rejects(
    withFileLock(under, work),
    /The file .*\.lock cannot be written \(E[A-Z]+\), so nothing was changed\./
  )
})

t.test('a run that waits for a yes does not forget what another run wrote meanwhile', needsTerminal, async t => {
  const { home, env, folder } = await newHome()
  const { code, shown } = await onTerminal(['connect', 'codex', '--hooks'], env, [
    {
      after: /Type yes to go on: /,
      text: async () => {
        const other = await runToEnd(['connect', 'claude-code', 'cursor', '--yes'], env)
        t.equal(other.code, 0, other.stderr)
        return 'yes\n'
      }
    }
  ])
  t.equal(code, 0, shown)
  const files = ['.claude.json', '.codex/config.toml', '.codex/hooks.json', '.cursor/mcp.json']
  t.same(Object.keys(await recordIn(folder)).sort(), files.map(file => join(home, file)).sort())
})

t.test('many runs at once: each entry is in its file and in the record', async t => {
  const { home, env, folder } = await newHome()
  const names = ['claude-code', 'codex', 'gemini', 'cursor', 'qwen', 'copilot']
  const runs = await Promise.all(names.map(name => runToEnd(['connect', name, '--hooks', '--yes'], env)))
  for (const { code, stderr } of runs) t.match(code === 0 ? '' : stderr, /^$|has no hooks/)
  const more = await Promise.all(names.map(name => runToEnd(['connect', name, '--yes'], env)))
  for (const { code, stderr } of more) t.equal(code, 0, stderr)
  t.equal(Object.keys(await recordIn(folder)).length, names.length + 2, 'with the files of hooks of two')
  t.same(
    Object.keys(JSON.parse(await readFile(join(folder, 'profiles.json'), 'utf8')).profiles).sort(),
    ['claude-code', 'codex', 'gemini'],
    'and each profile'
  )
  t.same((await readdir(folder)).sort(), ['connected.json', 'profiles.json'], 'nothing else is left')
  const removed = await Promise.all(names.map(name => runToEnd(['connect', name, '--remove', '--yes'], env)))
  for (const { code, stderr } of removed) t.equal(code, 0, stderr)
  t.same(await recordIn(folder), {})
  const left = (await readdir(home, { recursive: true })).filter(file => /\.(json|toml)/.test(file))
  t.same(left.map(file => basename(file)).sort(), ['connected.json', 'profiles.json'])
})

t.test('--hooks without names says which coding agents get none, and why', async t => {
  const { home, env } = await newHome()
  for (const folder of ['.claude', '.cursor', '.qwen']) await mkdir(join(home, folder))
  const bare = { ...env, PATH: '' }
  const says = /^No hooks for Cursor, Qwen Code: this program writes hooks only for Claude Code, Codex, Gemini CLI\.$/m
  t.match(await runToEnd(['connect', '--hooks', '--yes'], bare), { code: 0, stderr: says })
  t.match(await readFile(join(home, '.cursor', 'mcp.json'), 'utf8'), 'shared-context')
  for (const words of [[], ['--remove', '--hooks'], ['claude-code', '--hooks']]) {
    const { code, stderr } = await runToEnd(['connect', '--dry-run', ...words], bare)
    t.equal(code, 0, stderr)
    t.notMatch(stderr, 'No hooks', words.join(' '))
  }
})
