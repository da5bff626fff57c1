import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { codingAgents } from '../../src/connect/coding-agents.js'
import { findCodingAgents } from '../../src/connect/find.js'
import type { Machine } from '../../src/connect/machine.js'

/** Which coding agents a machine has, and where they keep their files. */

t.test('it finds the coding agents that there are', async t => {
  const home = await mkdtemp(join(tmpdir(), 'connect-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  const machine: Machine = { platform: 'linux', env: {}, home, cwd: home }
  t.same(await findCodingAgents(machine), [])
  const bin = join(machine.home, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'codex'), '', { mode: 0o755 })
  await writeFile(join(bin, 'gemini'), '', { mode: 0o644 })
  await mkdir(join(machine.home, '.cursor'))
  const found = await findCodingAgents({ ...machine, env: { PATH: `relative:${bin}` } })
  t.same(
    found.map(({ name }) => name),
    ['codex', 'cursor']
  )
})

t.test('paths on other systems', async t => {
  const windows: Machine = { platform: 'win32', env: { APPDATA: 'C:\\Roaming' }, home: 'C:\\Users\\ada', cwd: 'C:\\p' }
  const mac: Machine = { platform: 'darwin', env: {}, home: '/Users/ada', cwd: '/p' }
  const userFile = (name: string, machine: Machine) => codingAgents.find(agent => agent.name === name)?.user(machine)[0]
  t.equal(userFile('vscode', windows), 'C:\\Roaming\\Code\\User\\mcp.json')
  t.equal(userFile('claude-desktop', mac), '/Users/ada/Library/Application Support/Claude/claude_desktop_config.json')
  t.equal(userFile('codex', { ...mac, env: { CODEX_HOME: '/c' } }), '/c/config.toml')
  t.equal(userFile('zed', windows), 'C:\\Roaming\\Zed\\settings.json')
  t.equal(userFile('opencode', { ...mac, env: { XDG_CONFIG_HOME: '/x' } }), '/x/opencode/opencode.json')
})
