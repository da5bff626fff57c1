import { spawnSync } from 'node:child_process'
import { cp, mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { ROOT } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'

/**
 * `npm start` on a fresh clone: no build step of one's own. What is compiled here is small; all of it is by the build
 * before the tests.
 */
t.test('the start script compiles what is missing or old', async t => {
  const clone = join(await temporaryFolder(t), 'clone')
  for (const name of ['src/cli.ts', 'src/kernel/text.ts', 'migrations/index.ts'])
    await mkdir(dirname(join(clone, name)), { recursive: true })
  await writeFile(
    join(clone, 'src/cli.ts'),
    "import { said } from './kernel/text.js'\nconsole.log(said(process.argv[2]))\n"
  )
  await writeFile(
    join(clone, 'src/kernel/text.ts'),
    'export const said = (word: string | undefined) => `said ${word}`\n'
  )
  await writeFile(join(clone, 'migrations/index.ts'), 'export {}\n')
  for (const name of ['scripts', 'dashboard', 'clients/typescript', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, name), join(clone, name), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'))
  const run = () => spawnSync(process.execPath, ['scripts/start.js', '--version'], { cwd: clone, encoding: 'utf8' })

  t.match(run(), { status: 0, stdout: 'said --version\n', stderr: /^Compiling/ }, 'missing: compiles')
  t.match(run(), { status: 0, stdout: 'said --version\n', stderr: /^$/ }, 'current: does not')
  const later = new Date(Date.now() + 5000)
  await writeFile(
    join(clone, 'src/kernel/text.ts'),
    'export const said = (word: string | undefined) => `says ${word}`\n'
  )
  await utimes(join(clone, 'src/kernel/text.ts'), later, later)
  t.match(run(), { status: 0, stdout: 'says --version\n', stderr: /^Compiling/ }, 'older than a source: compiles again')
  await writeFile(join(clone, 'src/kernel/text.ts'), 'export const said = (\n')
  await utimes(join(clone, 'src/kernel/text.ts'), later, new Date(Date.now() + 10_000))
  t.match(run(), { status: 1 }, 'what cannot be compiled does not start')
  t.match(
    spawnSync(process.execPath, ['dist/src/cli.js', 'again'], { cwd: clone, encoding: 'utf8' }),
    { stdout: 'says again\n' },
    'and leaves what there was'
  )
})

t.test('without the compiler it says what to run', async t => {
  const clone = join(await temporaryFolder(t), 'clone')
  await mkdir(join(clone, 'node_modules'), { recursive: true })
  for (const name of ['src', 'migrations', 'scripts', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, name), join(clone, name), { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter(name => name !== 'esbuild'))
    await symlink(join(ROOT, 'node_modules', name), join(clone, 'node_modules', name))
  const { status, stderr } = spawnSync(process.execPath, ['scripts/start.js', '--version'], {
    cwd: clone,
    encoding: 'utf8'
  })
  t.equal(status, 1)
  t.match(stderr, /npm ci --include=dev/)
})
