import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { generated } from '../../scripts/connect-docs.js'
import { codingAgents } from '../../src/connect/coding-agents.js'
import { hookItem, hookSettings, isOurHook, MOMENTS } from '../../src/connect/hooks.js'
import { version } from '../../src/version.js'
import { ROOT } from '../helper.js'

const PLUGIN = join(ROOT, 'clients/claude-code-plugin')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const readJson = (file: string): any => JSON.parse(readFileSync(join(PLUGIN, file), 'utf8'))

t.test('the page and the skills of the plugin are what npm run docs writes', async t => {
  for (const [path, text] of generated()) t.ok(read(path) === text, `${path}: run npm run docs`)
})

t.test('every coding agent is in the page', async t => {
  const page = read('docs/connect.md')
  for (const { name, title } of codingAgents) {
    t.ok(page.includes(`\n### ${title}\n`), title)
    t.ok(page.includes(`connect ${name}\``), name)
  }
})

t.test('the plugin of Claude Code is of this version, has no key, and the hooks that connect writes', async t => {
  t.match(readJson('.claude-plugin/plugin.json'), { name: 'shared-context', version })
  t.match(readJson('.mcp.json').mcpServers['shared-context'], {
    type: 'http',
    url: /\/mcp$/,
    headers: { 'X-API-Key': '${SHARED_CONTEXT_API_KEY}' }
  })
  const settings = hookSettings['claude-code']
  if (settings === undefined) throw new Error('Claude Code has hooks')
  const { hooks } = readJson('hooks/hooks.json')
  t.equal(Object.keys(hooks).length, MOMENTS.length)
  for (const moment of MOMENTS) {
    const items = hooks[settings.events[moment]]
    t.same(items, [hookItem(settings, `shared-context-server hook claude-code ${moment}`)])
    t.ok(isOurHook('claude-code')(items[0].hooks[0]))
  }
})
