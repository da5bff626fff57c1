import { chmod, cp, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'tap'
import { EmbeddedError, findBinaries, openEmbedded, resolveDataDir } from '../../../src/postgres/embedded/index.js'
import { folder, open, postmasterPid, query, quick, root } from './helper.js'

const posix = process.platform !== 'win32'

/** PostgreSQL's programs as npm unpacks them: the package's install script has not made its links. */
async function unpacked(to: string): Promise<string> {
  const { binDir } = await findBinaries()
  await cp(dirname(binDir), to, { recursive: true, filter: source => !source.endsWith('.a') })
  const lib = join(to, 'lib')
  for (const entry of await readdir(lib, { withFileTypes: true }))
    if (entry.isSymbolicLink()) await rm(join(lib, entry.name))
  return to
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (error instanceof EmbeddedError) return error.message
  throw error instanceof Error ? error : new Error('It was not refused')
}

test('where there are no binaries, one sentence asks for DATABASE_URL', async t => {
  const unknown = await refusal(findBinaries({ platform: 'sunos', arch: 'sparc' }))
  t.match(unknown, /^There is no embedded PostgreSQL for this platform \(sunos-sparc\): set DATABASE_URL to [^.]+\.$/)
  const left = await refusal(findBinaries({ platform: 'linux', arch: process.arch === 'ppc64' ? 'arm' : 'ppc64' }))
  t.match(left, /^The embedded PostgreSQL for linux-\w+ is not installed here, [^.]+: set DATABASE_URL to [^.]+\.$/)
})

test('binaries that do not run here ask for DATABASE_URL as well', { skip: !posix }, async t => {
  const native = join(await folder(t), 'native')
  await mkdir(join(native, 'bin'), { recursive: true })
  for (const name of ['initdb', 'postgres', 'pg_ctl'])
    await writeFile(join(native, 'bin', name), '#!/no/such/loader\n', { mode: 0o755 })
  t.match(
    await refusal(findBinaries({ nativeDir: native, cacheRoot: native })),
    /does not run on this machine \(.*\): set DATABASE_URL/
  )
})

test('missing links and executable bits are added', { skip: !posix }, async t => {
  const native = await unpacked(join(await folder(t), 'native'))
  await chmod(join(native, 'bin/initdb'), 0o644)
  const found = await findBinaries({ nativeDir: native })
  t.match(found, { binDir: join(native, 'bin'), version: /^\d+\.\d+$/, major: Number, notices: [] })
  t.equal((await stat(join(native, 'bin/initdb'))).mode & 0o111, 0o111)
  t.same(await findBinaries({ nativeDir: native }), found, 'and nothing is amiss the second time')
})

test(
  'in a folder that cannot be written to, a copy beside the data is completed',
  { skip: root || !posix },
  async t => {
    const path = await folder(t)
    const native = await unpacked(join(path, 'native'))
    await chmod(join(native, 'lib'), 0o555)
    t.teardown(() => chmod(join(native, 'lib'), 0o755))
    const embedded = await open(t, join(path, 'data'), 'serve', { nativeDir: native })
    t.match(embedded.notices, [/used from .*data\/bin\/.*because .*native is incomplete/])
    t.same(await query(embedded.url, 'select 1 as n'), [{ n: 1 }])
  }
)

test(
  "root in a closed folder: binaries and data go where PostgreSQL's user can reach them",
  { skip: !root },
  async t => {
    const path = await folder(t)
    const home = join(path, 'home')
    const fallbackRoot = join(path, 'fallback')
    await mkdir(home, { mode: 0o700 })
    const nativeDir = await unpacked(join(home, 'native'))
    const settings = quick

    const message = await refusal(
      openEmbedded({ dataDir: 'data', cwd: home, mode: 'serve', nativeDir, fallbackRoot, settings })
    )
    t.match(
      message,
      new RegExp(
        `^DATA_DIR ${home}/data cannot be used: PostgreSQL does not run as root but as the user ` +
          `"\\w+", who cannot enter ${home}\\. Run "chmod o\\+x ${home}"`
      )
    )

    const starts = await Promise.all(
      ['serve', 'join'].map(mode =>
        openEmbedded({ cwd: home, mode: mode as 'serve', nativeDir, fallbackRoot, settings })
      )
    )
    for (const embedded of starts) {
      t.teardown(() => embedded.close())
      t.equal(embedded.dataDir, join(fallbackRoot, 'data'))
      t.match(embedded.notices, [
        /^The data is in .*fallback\/data, because .*cannot enter .*home\.$/,
        /^PostgreSQL's programs are used from .*because .*cannot reach/
      ])
      t.same(await query(embedded.url, 'select 1 as n'), [{ n: 1 }])
    }
    t.equal((await readdir(join(fallbackRoot, 'bin'))).length, 1)
    t.same((await readdir(home)).sort(), ['native'], 'nothing is left in the closed folder')
    await Promise.all(starts.map(each => each.close()))
    t.equal(await postmasterPid(join(fallbackRoot, 'data')), undefined)

    await chmod(home, 0o711)
    const explicit = await openEmbedded({
      dataDir: 'data',
      cwd: home,
      mode: 'serve',
      nativeDir,
      fallbackRoot,
      settings
    })
    t.teardown(() => explicit.close())
    t.equal(explicit.dataDir, join(home, 'data'), 'what the refusal advises works')
  }
)

test('the data directory', async t => {
  const path = await folder(t)
  t.same(await resolveDataDir({ cwd: path }), { dataDir: join(path, 'data'), notices: [] })
  t.equal((await resolveDataDir({ explicit: 'a/b/c', cwd: path })).dataDir, join(path, 'a/b/c'))
  t.ok((await stat(join(path, 'a/b/c'))).isDirectory())
  if (posix) t.equal((await stat(join(path, 'data'))).mode & 0o066, 0, 'is not for others to read')

  await writeFile(join(path, 'file'), '')
  for (const explicit of ['file', 'file/below']) {
    t.match(await refusal(resolveDataDir({ explicit, cwd: path })), /file is not a directory\. Set DATA_DIR/)
  }
  await symlink(join(path, 'nowhere'), join(path, 'dangling'))
  t.match(await refusal(resolveDataDir({ explicit: 'dangling', cwd: path })), /cannot be written to/)
  if (!root && posix) {
    await mkdir(join(path, 'closed'), { mode: 0o500 })
    for (const explicit of ['closed', 'closed/below']) {
      t.match(
        await refusal(resolveDataDir({ explicit, cwd: path })),
        /closed.* cannot be written to \(EACCES.*\)\. Make it writable/
      )
    }
  }
  await mkdir(join(path, 'data/postgres'))
  await writeFile(join(path, 'data/postgres/notes.txt'), 'mine')
  t.match(
    await refusal(openEmbedded({ dataDir: join(path, 'data'), mode: 'join' })),
    /holds files, but no PostgreSQL database/
  )
})
