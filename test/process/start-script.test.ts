import { spawnSync } from 'node:child_process'
import { cp, mkdir, symlink, utimes } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'

/** `npm start` on a fresh clone: no build step of one's own. */
t.test('the start script compiles what is missing or old', async t => {
  const clone = join(await temporaryFolder(t), 'clone')
  await mkdir(clone)
  for (const name of ['src', 'migrations', 'scripts', 'package.json', 'tsconfig.json']) await cp(join(ROOT, name), join(clone, name), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'))
  const run = () => spawnSync(process.execPath, ['scripts/start.js', '--version'], { cwd: clone, encoding: 'utf8' })

  t.match(run(), { status: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: /^Compiling/ }, 'missing: compiles')
  t.match(run(), { status: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' }, 'current: does not')
  const later = new Date(Date.now() + 5000)
  await utimes(join(clone, 'src', 'core', 'text.ts'), later, later)
  t.match(run(), { status: 0, stderr: /^Compiling/ }, 'older than a source: compiles again')
})

t.test('without the compiler it says what to run', async t => {
  const clone = join(await temporaryFolder(t), 'clone')
  await mkdir(join(clone, 'node_modules'), { recursive: true })
  for (const name of ['src', 'migrations', 'scripts', 'package.json', 'tsconfig.json']) await cp(join(ROOT, name), join(clone, name), { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter(name => name !== 'typescript')) await symlink(join(ROOT, 'node_modules', name), join(clone, 'node_modules', name))
  const { status, stderr } = spawnSync(process.execPath, ['scripts/start.js', '--version'], { cwd: clone, encoding: 'utf8' })
  t.equal(status, 1)
  t.match(stderr, /npm ci --include=dev/)
})
