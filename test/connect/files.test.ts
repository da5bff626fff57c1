import { chmod, lstat, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { codingAgents, startsProgram } from '../../src/connect/coding-agents.js'
import { addressIn, keyIn, SERVER_NAME } from '../../src/connect/entries.js'
import { carryOut } from '../../src/connect/plan.js'
import { plansFor } from '../../src/connect/plans.js'
import { agentOf, entryOf, KEY, lived, placeOf, run, URL, wishFor } from './places.js'

/** What happens to the files of each coding agent; on a home folder of its own. */

const isWindows = process.platform === 'win32'
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

const json = agentOf('claude-code')

t.test(
  'rights, links and files that may not be written',
  { skip: isWindows && 'Windows has no such rights' },
  async t => {
    const open = await placeOf(json, '{}')
    await chmod(open.path, 0o644)
    const { lines, results } = await run(open, 'connect')
    t.match(results, [{ tightened: 0o644 }], 'it says that others could read the file')
    t.match(lines.join('\n'), /mode 0644, will be 0600/)
    t.equal(await mode(open.path), 0o600)

    const linked = await placeOf(json)
    const target = join(linked.machine.home, 'dotfiles', 'claude.json')
    await mkdir(dirname(target))
    await writeFile(target, '{}', { mode: 0o600 })
    await symlink(target, linked.path)
    await run(linked, 'connect')
    t.ok((await lstat(linked.path)).isSymbolicLink(), 'the link stays')
    t.match(await readFile(target, 'utf8'), SERVER_NAME)
    await run(linked, 'remove')
    t.equal(await readFile(target, 'utf8'), '{}')

    const dangling = await placeOf(json)
    await symlink(join(dangling.machine.home, 'new.json'), dangling.path)
    await run(dangling, 'connect')
    t.ok((await lstat(dangling.path)).isSymbolicLink())
    t.match(await readFile(join(dangling.machine.home, 'new.json'), 'utf8'), SERVER_NAME)

    const chained = await placeOf(agentOf('cursor'))
    const { home } = chained.machine
    for (const folder of ['cfg', 'store']) await mkdir(join(home, 'real', folder), { recursive: true })
    await rm(dirname(chained.path), { recursive: true, force: true })
    await symlink('real/cfg', dirname(chained.path))
    await symlink('../store/first.json', chained.path)
    await symlink('second.json', join(home, 'real', 'store', 'first.json'))
    await run(chained, 'connect')
    t.match(await readFile(join(home, 'real', 'store', 'second.json'), 'utf8'), SERVER_NAME, 'from where it really is')
    t.match(await readFile(chained.path, 'utf8'), SERVER_NAME)

    const fixed = await placeOf(agentOf('codex'), 'a = 1\n')
    await chmod(fixed.path, 0o400)
    await t.rejects(run(fixed, 'connect'), /may not be written \(it is read-only\)/)
    t.equal(await readFile(fixed.path, 'utf8'), 'a = 1\n')

    const latin = await placeOf(json, Buffer.from('{"a": "\xe9"}', 'latin1'))
    await t.rejects(run(latin, 'connect'), /is no text in UTF-8/)
    const folder = await placeOf(json)
    await mkdir(folder.path)
    await t.rejects(run(folder, 'connect'), /is no file/)
  }
)

t.test('a file that another program changes meanwhile is not written', async t => {
  const place = await placeOf(json, '{}')
  const plans = await plansFor(place.agent, place.machine, wishFor(place, 'connect'), place.record)
  await writeFile(place.path, '{"a": 1}')
  await t.rejects(carryOut(plans[0] as (typeof plans)[0], place.record), /was changed by another program meanwhile/)
  t.equal(await readFile(place.path, 'utf8'), '{"a": 1}')
})

t.test('an entry that the user wrote is brought up to date, and taken out', async t => {
  const place = await placeOf(
    json,
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
