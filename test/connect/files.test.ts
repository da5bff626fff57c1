import { chmod, lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { type CodingAgent, codingAgents, startsProgram } from '../../src/connect/coding-agents.js'
import { addressIn, keyIn, SERVER_NAME } from '../../src/connect/entries.js'
import { fileOf, type Scope } from '../../src/connect/find.js'
import { hookSettings } from '../../src/connect/hooks.js'
import type { Machine } from '../../src/connect/machine.js'
import { carryOut, changesFile } from '../../src/connect/plan.js'
import { plansFor, type Wish } from '../../src/connect/plans.js'
import type { WrittenFiles } from '../../src/connect/record.js'
import { shown } from '../../src/connect/shown.js'
import { valueAt } from '../../src/connect/text/formats.js'

/** What happens to the files of each coding agent; on a home folder of its own. */

const KEY = `scs_0123456789abcdef_${'k'.repeat(43)}`
const URL = 'http://127.0.0.1:23456'
const isWindows = process.platform === 'win32'

async function newMachine(): Promise<Machine> {
  const home = await mkdtemp(join(tmpdir(), 'connect-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  return { platform: 'linux', env: {}, home, cwd: join(home, 'project') }
}

interface Place {
  machine: Machine
  agent: CodingAgent
  path: string
  record: WrittenFiles
}

/** What the command does for one coding agent, once it was agreed to. */
async function run(place: Place, what: Wish['what'], more: { key?: string; scope?: Scope; hooks?: boolean } = {}) {
  const { machine, agent, path, record } = place
  const { key = KEY, scope = 'user', hooks = false } = more
  const wish: Wish = {
    what,
    path,
    scope,
    url: URL,
    hooks,
    profile: agent.name,
    hook_command: moment => `shared-context-server hook ${agent.name} ${moment}`,
    connection: {
      url: `${URL}/mcp`,
      key: scope === 'project' ? { variable: 'SHARED_CONTEXT_API_KEY' } : { text: key },
      ...(scope === 'user' && { agent_id: agent.name }),
      stdio: { command: 'node', args: ['cli.js', 'mcp'], env: { AGENT_ID: agent.name } }
    }
  }
  const plans = await plansFor(agent, machine, wish, record)
  const results = []
  for (const plan of plans) results.push({ ...(await carryOut(plan, record)), changed: changesFile(plan) })
  return { lines: plans.flatMap(shown), results }
}

async function placeOf(agent: CodingAgent, content?: string | Buffer, scope: Scope = 'user'): Promise<Place> {
  const machine = await newMachine()
  const path = (await fileOf(agent, machine, scope)) as string
  await mkdir(dirname(path), { recursive: true })
  if (content !== undefined) await writeFile(path, content, { mode: 0o600 })
  return { machine, agent, path, record: {} }
}

async function entryOf({ agent, path }: Place): Promise<any> {
  const text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  return valueAt(agent.format, text, [...agent.servers, SERVER_NAME])
}

/** A file as a user may have it: comments, another server, a trailing comma where the format has some. */
function lived({ format, servers }: CodingAgent): string {
  if (format === 'toml') return '# mine\nmodel = "x"\n\n[mcp_servers.other] # keep\ncommand = "y"\n'
  return `{\n  // mine\n  "theme": "dark",\n  "${servers[0]}": {\n    "other": { "command": "y" }, // keep\n  },\n}\n`
}

const mode = async (path: string) => (await stat(path)).mode & 0o777

for (const agent of codingAgents) {
  t.test(agent.title, async t => {
    const fresh = await placeOf(agent)
    const { lines } = await run(fresh, 'connect')
    t.notMatch(lines.join('\n'), 'k'.repeat(9), 'the key is not shown')
    const entry = await entryOf(fresh)
    if (startsProgram(agent)) t.match(entry, { command: 'node', args: ['cli.js', 'mcp'] })
    else {
      t.equal(addressIn(entry), `${URL}/mcp`)
      t.equal(keyIn(entry), KEY)
      if (!isWindows) t.equal(await mode(fresh.path), 0o600, 'a new file with a key is of the user alone')
    }
    t.match((await run(fresh, 'connect')).results, [{ changed: false }], 'a second time changes nothing')
    await run(fresh, 'remove')
    await t.rejects(stat(fresh.path), { code: 'ENOENT' }, 'the file that the program made is gone')

    for (const [name, text] of Object.entries({
      'with comments': lived(agent),
      'with CRLF': lived(agent).replaceAll('\n', '\r\n'),
      'with a byte order mark': `\uFEFF${lived(agent)}`,
      'without a line end': lived(agent).trimEnd(),
      empty: ''
    })) {
      const place = await placeOf(agent, text)
      await run(place, 'connect')
      const after = await readFile(place.path, 'utf8')
      t.ok(await entryOf(place), name)
      t.equal(after.startsWith('\uFEFF'), text.startsWith('\uFEFF'), name)
      if (text.includes('\r')) t.notMatch(after, /[^\r]\n/, name)
      if (text !== '') t.match(after, 'mine', name)
      await run(place, 'connect', { key: `${KEY.slice(0, -1)}x` })
      await run(place, 'remove')
      t.equal(await readFile(place.path, 'utf8'), text, `${name}: every byte is back`)

      // Somebody else writes into the file meanwhile: the entry goes, the rest stays.
      await run(place, 'connect')
      const changed = (await readFile(place.path, 'utf8')).replace('mine', 'mine now')
      await writeFile(place.path, changed)
      await run(place, 'remove')
      t.equal(await entryOf(place), undefined, name)
      t.equal((await readFile(place.path, 'utf8')).trimEnd(), text.replace('mine', 'mine now').trimEnd(), name)
    }

    const damaged = await placeOf(agent, agent.format === 'toml' ? '[a\n' : '{"a": ')
    const before = await readFile(damaged.path)
    await t.rejects(run(damaged, 'connect'), /The file .* is damaged at line \d.*It is as it was\.$/)
    await t.rejects(run(damaged, 'remove'), /is damaged/)
    t.same(await readFile(damaged.path), before)
  })

  if (agent.project !== undefined)
    t.test(`${agent.title}: a project's file has no key`, async t => {
      const place = await placeOf(agent, undefined, 'project')
      await run(place, 'connect', { scope: 'project' })
      const text = await readFile(place.path, 'utf8')
      t.match(text, 'SHARED_CONTEXT_API_KEY')
      t.notMatch(text, /scs_|X-Agent-Id/)
      t.equal(keyIn(await entryOf(place)), undefined)
      if (!isWindows) t.equal((await mode(place.path)) & 0o600, 0o600)
      t.equal(place.path.startsWith(place.machine.cwd), true)
    })
}

const [json, toml] = ['claude-code', 'codex'].map(
  name => codingAgents.find(agent => agent.name === name) as CodingAgent
)

t.test(
  'rights, links and files that may not be written',
  { skip: isWindows && 'Windows has no such rights' },
  async t => {
    const open = await placeOf(json as CodingAgent, '{}')
    await chmod(open.path, 0o644)
    const { lines, results } = await run(open, 'connect')
    t.match(results, [{ tightened: 0o644 }], 'it says that others could read the file')
    t.match(lines.join('\n'), /mode 0644, will be 0600/)
    t.equal(await mode(open.path), 0o600)

    const linked = await placeOf(json as CodingAgent)
    const target = join(linked.machine.home, 'dotfiles', 'claude.json')
    await mkdir(dirname(target))
    await writeFile(target, '{}', { mode: 0o600 })
    await symlink(target, linked.path)
    await run(linked, 'connect')
    t.ok((await lstat(linked.path)).isSymbolicLink(), 'the link stays')
    t.match(await readFile(target, 'utf8'), SERVER_NAME)
    await run(linked, 'remove')
    t.equal(await readFile(target, 'utf8'), '{}')

    const dangling = await placeOf(json as CodingAgent)
    await symlink(join(dangling.machine.home, 'new.json'), dangling.path)
    await run(dangling, 'connect')
    t.ok((await lstat(dangling.path)).isSymbolicLink())
    t.match(await readFile(join(dangling.machine.home, 'new.json'), 'utf8'), SERVER_NAME)

    const chained = await placeOf(codingAgents.find(({ name }) => name === 'cursor') as CodingAgent)
    const { home } = chained.machine
    for (const folder of ['cfg', 'store']) await mkdir(join(home, 'real', folder), { recursive: true })
    await rm(dirname(chained.path), { recursive: true, force: true })
    await symlink('real/cfg', dirname(chained.path))
    await symlink('../store/first.json', chained.path)
    await symlink('second.json', join(home, 'real', 'store', 'first.json'))
    await run(chained, 'connect')
    t.match(await readFile(join(home, 'real', 'store', 'second.json'), 'utf8'), SERVER_NAME, 'from where it really is')
    t.match(await readFile(chained.path, 'utf8'), SERVER_NAME)

    const fixed = await placeOf(toml as CodingAgent, 'a = 1\n')
    await chmod(fixed.path, 0o400)
    await t.rejects(run(fixed, 'connect'), /may not be written \(it is read-only\)/)
    t.equal(await readFile(fixed.path, 'utf8'), 'a = 1\n')

    const latin = await placeOf(json as CodingAgent, Buffer.from('{"a": "\xe9"}', 'latin1'))
    await t.rejects(run(latin, 'connect'), /is no text in UTF-8/)
    const folder = await placeOf(json as CodingAgent)
    await mkdir(folder.path)
    await t.rejects(run(folder, 'connect'), /is no file/)
  }
)

t.test('a file that another program changes meanwhile is not written', async t => {
  const place = await placeOf(json as CodingAgent, '{}')
  const plans = await plansFor(
    place.agent,
    place.machine,
    {
      ...{
        what: 'connect',
        path: place.path,
        scope: 'user',
        url: URL,
        hooks: false,
        profile: 'x',
        hook_command: () => ''
      },
      connection: { url: URL, key: { text: KEY }, stdio: { command: '', args: [], env: {} } }
    },
    place.record
  )
  await writeFile(place.path, '{"a": 1}')
  await t.rejects(carryOut(plans[0] as (typeof plans)[0], place.record), /was changed by another program meanwhile/)
  t.equal(await readFile(place.path, 'utf8'), '{"a": 1}')
})

t.test('an entry that the user wrote is brought up to date, and taken out', async t => {
  const place = await placeOf(
    json as CodingAgent,
    '{\n  "mcpServers": {\n    "shared-context": { "url": "http://old/mcp", "trust": true, ' +
      '"headers": { "X-API-Key": "hidden" } }\n  }\n}\n'
  )
  const { lines } = await run(place, 'connect')
  t.match(lines.join('\n'), /- mcpServers.shared-context.url = "http:\/\/old\/mcp"/)
  t.notMatch(lines.join('\n'), /hidden|kkkk/)
  t.match(await entryOf(place), { url: `${URL}/mcp`, trust: true })
  await run(place, 'remove')
  t.equal(await entryOf(place), undefined)
})

for (const [name, { events, user }] of Object.entries(hookSettings))
  t.test(`hooks of ${name}`, async t => {
    const agent = codingAgents.find(one => one.name === name) as CodingAgent
    const place = await placeOf(agent, lived(agent))
    const path = user(place.machine)
    const others =
      '{\n  "hooks": {\n    "Stop": [\n      { "hooks": [{ "type": "command", "command": "beep" }] }\n    ]\n  }\n}\n'
    const text = path === place.path ? lived(agent) : others
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
    await run(place, 'connect', { hooks: true })
    const hooksOf = async () => valueAt('json', await readFile(path, 'utf8'), ['hooks']) as Record<string, unknown[]>
    const after = await hooksOf()
    for (const event of Object.values(events))
      t.equal(after[event]?.length, event === 'Stop' && text === others ? 2 : 1, event)
    t.match(JSON.stringify(after), `shared-context-server hook ${name} start`)
    t.notMatch(await readFile(path, 'utf8').then(all => (path === place.path ? '' : all)), KEY)

    await run(place, 'connect')
    t.same(await hooksOf(), after, 'without --hooks, those that are there stay')
    await run(place, 'remove')
    t.equal(await readFile(path, 'utf8'), text)
    t.equal(await readFile(place.path, 'utf8'), lived(agent))
  })
