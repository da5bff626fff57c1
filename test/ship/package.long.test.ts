import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { defaultDataDir } from '../../src/commands/data-folder.js'
import { compiled, ROOT, runProgram, runToEnd } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'

/** What `npm pack` makes, and the command as an installed package has it. Nothing is asked of a registry. */

const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
  version: string
  private?: boolean
  bin: Record<string, string>
  engines: { node: string }
  devDependencies: Record<string, string>
}
const { command, files } = await installed()

async function installed(): Promise<{ command: string; files: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'scs-package-'))
  // As root, PostgreSQL runs as another user, who has to get through here.
  await chmod(folder, 0o711)
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  // As the script prepack does.
  compiled()
  execFileSync(process.execPath, [join('scripts', 'sbom.mjs'), 'dist'], { cwd: ROOT })
  const said = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    shell: process.platform === 'win32'
  })
  const answer = JSON.parse(said) as Packed[] | Record<string, Packed>
  const [packed] = Object.values(answer) as [Packed]
  execFileSync('tar', ['-xzf', packed.filename], { cwd: folder })
  const root = join(folder, 'package')
  await linkDependencies(join(root, 'node_modules'))
  // npm links the command, so its path is another one than the module's.
  const link = join(folder, 'bin', 'shared-context-server')
  await mkdir(dirname(link))
  await symlink(join(root, manifest.bin['shared-context-server'] as string), link)
  return { command: link, files: packed.files.map(({ path }) => path) }
}

interface Packed {
  filename: string
  files: Array<{ path: string }>
}

/** All but what is for development. */
async function linkDependencies(to: string): Promise<void> {
  await mkdir(to)
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (name.startsWith('.') || name in manifest.devDependencies) continue
    if (!name.startsWith('@')) await symlink(join(ROOT, 'node_modules', name), join(to, name))
    else {
      await mkdir(join(to, name))
      for (const part of await readdir(join(ROOT, 'node_modules', name))) {
        if (!(`${name}/${part}` in manifest.devDependencies))
          await symlink(join(ROOT, 'node_modules', name, part), join(to, name, part))
      }
    }
  }
}

t.test('the package holds the program and its pages, and nothing of its making', async t => {
  t.not(manifest.private, true)
  t.ok(manifest.engines.node)
  const lists = ['dist/sbom.cdx.json', 'dist/THIRD-PARTY-NOTICES.md']
  for (const path of ['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json', ...lists, ...Object.values(manifest.bin)])
    t.ok(files.includes(path), path)
  const shipped = [
    /^dist\/src\/(cli|[\w-]+-[A-Z0-9]{8})\.js$/,
    /^dist\/page\/(page\.(js|css)|index\.html|icon\.svg)$/,
    /^dist\/(sbom\.cdx\.json|THIRD-PARTY-NOTICES\.md)$/,
    /^docs\/[^/]+\.md$/,
    /^(\.claude-plugin|clients\/claude-code-plugin)\/.+$/,
    /^([A-Z]+(\.md)?|package\.json)$/
  ]
  t.same(
    files.filter(path => !shipped.some(kind => kind.test(path))),
    []
  )
})

t.test('the installed command says its version and how it is called, wherever it is', async t => {
  const cwd = await temporaryFolder(t)
  t.match(await runToEnd(['--version'], {}, { file: command, cwd }), {
    code: 0,
    stdout: `${manifest.version}\n`,
    stderr: ''
  })
  for (const args of [['--help'], ['help'], ['-h']])
    t.match(await runToEnd(args, {}, { file: command, cwd }), {
      code: 0,
      stdout: /Usage: shared-context-server/,
      stderr: ''
    })
  for (const args of [
    ['serve', '--help'],
    ['help', 'serve']
  ])
    t.match(await runToEnd(args, {}, { file: command, cwd }), { code: 0, stdout: /DATA_DIR {2,}\S/, stderr: '' })
})

t.test('the installed command serves from a folder of the user', { skip: process.platform === 'win32' }, async t => {
  const [HOME, cwd] = [await temporaryFolder(t), await temporaryFolder(t)]
  const data = defaultDataDir({ checkout: false, env: {}, home: () => HOME })
  const program = await runProgram(t, ['serve'], { HOME, PORT: '0' }, { file: command, cwd })
  t.match(program.output(), `Creating a new data folder: ${data}\n`)
  const { api_key } = JSON.parse(await readFile(join(data, 'secrets.json'), 'utf8')) as { api_key: string }
  const answer = await fetch(`${program.url}/mcp/tool/create_session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': api_key, 'x-agent-id': 'ada' },
    body: JSON.stringify({ purpose: 'an installed service' })
  })
  t.match(await answer.json(), { success: true, session_id: /^session_/ })
  t.match(await (await fetch(`${program.url}/app/`)).text(), '<title>Shared context</title>', 'with its page')
  t.equal(await program.stop('SIGTERM'), 0)
  t.same(await readdir(cwd), [], 'nothing is left in the current folder')

  await mkdir(join(cwd, 'data'))
  await writeFile(join(cwd, 'data', 'secrets.json'), '{}')
  const again = await runToEnd(['migrate', 'status'], { HOME }, { file: command, cwd })
  t.match(again, { code: 0, stdout: /^(applied .*\n)+$/ })
  t.notMatch(again.stderr, 'Making')
  t.match(again.stderr, `The data are in ${data}. `)
  t.match(again.stderr, /not used.* DATA_DIR=.*data$/m)
  const told = await runToEnd(['migrate', 'status'], { HOME, DATA_DIR: data }, { file: command, cwd })
  t.equal(told.stderr, '', 'who names a folder has decided')
})
