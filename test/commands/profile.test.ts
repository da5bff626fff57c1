import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { configFolder } from '../../src/commands/data-folder.js'
import { profilePath, readProfile, writeProfile } from '../../src/commands/profile.js'
import { temporaryFolder } from '../support/own-server.js'

const SECRET = 'scs_secret-of-a-test'
const profile = { url: 'http://127.0.0.1:23456', api_key: SECRET, agent_id: 'ada', agent_type: 'human' }

t.beforeEach(async t => {
  process.env.XDG_CONFIG_HOME = await temporaryFolder(t)
})

t.test('the file is where the system has the settings of a user', async t => {
  const home = () => '/home/ada'
  t.equal(configFolder({ platform: 'linux', env: {}, home }), '/home/ada/.config/shared-context-server')
  t.equal(configFolder({ platform: 'linux', env: { XDG_CONFIG_HOME: '/etc/x' }, home }), '/etc/x/shared-context-server')
  t.equal(configFolder({ platform: 'linux', env: { XDG_CONFIG_HOME: 'x' }, home }), configFolder({ env: {}, home }))
  t.equal(
    configFolder({ platform: 'darwin', env: {}, home }),
    '/home/ada/Library/Application Support/shared-context-server'
  )
  t.equal(configFolder({ platform: 'win32', env: { APPDATA: 'C:\\R' }, home }), 'C:\\R\\shared-context-server')
})

t.test('a profile comes back, beside others, in a file of the user alone', async t => {
  t.equal(await readProfile(), undefined, 'without a file')
  await writeProfile('default', profile)
  await writeProfile('other', { url: 'https://example.org/scs', api_key: 'k' })
  await writeProfile('default', { ...profile, agent_id: 'ben' })
  t.same(await readProfile(), { ...profile, agent_id: 'ben' })
  t.same(await readProfile('other'), { url: 'https://example.org/scs', api_key: 'k' })
  t.equal((await stat(profilePath())).mode & 0o777, 0o600)
  t.equal((await stat(dirname(profilePath()))).mode & 0o777, 0o700)
  await t.rejects(readProfile('othr'), /no profile 'othr'.* Did you mean other\? There are: default, other/)
})

t.test('what this version does not know stays, and so does a link', async t => {
  const elsewhere = join(await temporaryFolder(t), 'mine.json')
  await writeFile(elsewhere, JSON.stringify({ theme: 'dark', profiles: { a: { ...profile, more: 1 } } }), {
    mode: 0o600
  })
  await mkdir(dirname(profilePath()), { recursive: true })
  await symlink(elsewhere, profilePath())
  await writeProfile('a', { ...profile, agent_id: 'cleo' })
  t.same(JSON.parse(await readFile(elsewhere, 'utf8')), {
    theme: 'dark',
    profiles: { a: { ...profile, agent_id: 'cleo', more: 1 } }
  })
  t.equal((await stat(elsewhere)).mode & 0o777, 0o600)
})

t.test('a file that others may use is refused, and says how to mend it', async t => {
  await writeProfile('default', profile)
  for (const mode of [0o644, 0o660, 0o620]) {
    await chmod(profilePath(), mode)
    const error: unknown = await readProfile().catch((e: unknown) => e)
    t.match(error, { message: new RegExp(`mode ${mode.toString(8)}.*chmod 600 '${profilePath()}'`) })
    t.notMatch((error as Error).message, SECRET)
    await t.rejects(writeProfile('another', profile), /chmod 600/)
  }
})

t.test('what is no profile is refused by its field, without its value', async t => {
  for (const [wrong, says] of [
    [{ ...profile, url: 'ftp://x' }, /"url"/],
    [{ ...profile, url: `http://ada:${SECRET}@127.0.0.1` }, /"url"/],
    [{ ...profile, api_key: `${SECRET} x` }, /"api_key"/],
    [{ ...profile, agent_id: '' }, /"agent_id"/]
  ] as const) {
    const error: unknown = await writeProfile('default', wrong).catch((e: unknown) => e)
    t.match(error, { message: says })
    t.notMatch((error as Error).message, SECRET)
  }
  await t.rejects(writeProfile('__proto__', profile), /no name of a profile/)
  await writeProfile('default', profile)
  for (const text of ['', '{', '[]', '{"profiles": []}', 'null']) {
    await writeFile(profilePath(), text)
    await t.rejects(readProfile(), /is not JSON with the object "profiles"/, text)
  }
})
