import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import t from 'tap'
import { hookSettings } from '../../src/connect/hooks.js'
import { valueAt } from '../../src/connect/text/formats.js'
import { agentOf, KEY, lived, type Place, placeOf, run } from './places.js'

/** Hooks in the files of coding agents: those of this program come and go, those of the user stay. */

const BEEP = { type: 'command', command: 'beep' }

for (const [name, { events, user }] of Object.entries(hookSettings))
  t.test(`hooks of ${name}`, async t => {
    const agent = agentOf(name)
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

async function withHooks(name: string): Promise<{ place: Place; path: string; settings: any }> {
  const place = await placeOf(agentOf(name))
  await run(place, 'connect', { hooks: true })
  const path = hookSettings[name]?.user(place.machine) as string
  return { place, path, settings: JSON.parse(await readFile(path, 'utf8')) }
}

for (const [name, { events }] of Object.entries(hookSettings))
  t.test(`${name}: a hook that the user put beside ours stays`, async t => {
    const { place, path, settings } = await withHooks(name)
    const { start, prompt, stop } = events
    const ours = settings.hooks[start][0].hooks[0]
    settings.hooks[start][0].hooks.push(BEEP)
    settings.hooks[prompt][0].hooks.unshift(BEEP)
    settings.hooks[stop].push({ hooks: [BEEP] })
    const changed = JSON.stringify(settings, null, 2)
    await writeFile(path, changed)

    const again = await run(place, 'connect', { hooks: true })
    t.equal(await readFile(path, 'utf8'), changed, 'nothing is to be brought up to date')
    t.match(again.lines.join('\n'), `= hooks.${start} is up to date`)

    const { lines } = await run(place, 'remove')
    const { hooks } = JSON.parse(await readFile(path, 'utf8'))
    t.same([hooks[start], hooks[prompt], hooks[stop]], Array(3).fill([{ hooks: [BEEP] }]))
    t.match(lines.join('\n'), `- hooks.${start}.hooks[0].command = ${JSON.stringify(ours.command)}`)
    t.notMatch(lines.join('\n'), 'beep', 'what stays is not shown')
  })

t.test('an old command of ours is brought up to date where it stands', async t => {
  const { place, path, settings } = await withHooks('claude-code')
  const [item] = settings.hooks.SessionStart
  item.matcher = 'startup'
  item.hooks[0] = { ...item.hooks[0], command: 'node "cli.js" hook claude-code start', timeout: 9 }
  item.hooks.push(BEEP, { ...item.hooks[0] })
  settings.hooks.SessionStart.push({ hooks: [item.hooks[0]] })
  await writeFile(path, JSON.stringify(settings))
  await run(place, 'connect')
  const { hooks } = JSON.parse(await readFile(path, 'utf8'))
  const command = 'shared-context-server hook claude-code start'
  t.same(hooks.SessionStart, [{ hooks: [{ type: 'command', command, timeout: 9 }, BEEP], matcher: 'startup' }])
})

t.test('an item of which no hook is left goes, with what the user said of our hook', async t => {
  const { place, path, settings } = await withHooks('claude-code')
  settings.hooks.SessionStart[0].matcher = 'startup'
  settings.hooks.SessionStart.push({ matcher: 'clear', hooks: [] })
  await writeFile(path, JSON.stringify(settings))
  await run(place, 'remove')
  const { hooks } = JSON.parse(await readFile(path, 'utf8'))
  t.same(hooks.SessionStart, [{ matcher: 'clear', hooks: [] }])
})
