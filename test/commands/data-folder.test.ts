import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { defaultDataDir, unusedDataNotices } from '../../src/commands/data-folder.js'
import { temporaryFolder } from '../support/own-server.js'

const home = () => '/home/ada'

test('a checkout keeps its data beside it', async t => {
  t.equal(defaultDataDir(), 'data', 'as these tests are one')
})

test("an installed command keeps them where the system has data of a user's programs", async t => {
  const of = (platform: string, env: Record<string, string>, at = home) =>
    defaultDataDir({ checkout: false, platform, env, home: at })
  t.equal(of('linux', {}), '/home/ada/.local/share/shared-context-server')
  t.equal(of('linux', { XDG_DATA_HOME: '/srv/data' }), '/srv/data/shared-context-server')
  for (const given of ['', 'relative/path'])
    t.equal(of('linux', { XDG_DATA_HOME: given }), '/home/ada/.local/share/shared-context-server', `not ${given}`)
  t.equal(
    of('darwin', { XDG_DATA_HOME: '/srv/data' }, () => '/Users/ada'),
    '/Users/ada/Library/Application Support/shared-context-server'
  )
  t.equal(of('win32', { LOCALAPPDATA: 'D:\\Local' }), 'D:\\Local\\shared-context-server')
  t.equal(
    of('win32', {}, () => 'C:\\Users\\Ada'),
    'C:\\Users\\Ada\\AppData\\Local\\shared-context-server'
  )
})

test('without a home folder it asks for DATA_DIR', async t => {
  const nowhere = [
    () => '',
    () => {
      throw new Error('no entry for this user')
    }
  ]
  for (const at of nowhere)
    t.throws(() => defaultDataDir({ checkout: false, platform: 'linux', env: {}, home: at }), {
      message: /Set DATA_DIR/
    })
})

test('data of ours in the current folder are not passed over in silence', async t => {
  const cwd = await temporaryFolder(t)
  t.same(unusedDataNotices('/elsewhere', cwd), [], 'no folder')
  await mkdir(join(cwd, 'data'))
  await writeFile(join(cwd, 'data', 'notes.txt'), "somebody's own")
  t.same(unusedDataNotices('/elsewhere', cwd), [], "another program's folder")
  await writeFile(join(cwd, 'data', 'postgres.json'), '{}')
  t.match(unusedDataNotices('/elsewhere', cwd), [
    `The data are in /elsewhere. The folder ${join(cwd, 'data')} also holds data of this program`
  ])
  t.same(unusedDataNotices(join(cwd, 'data'), cwd), [], 'the one that is used')
})
