import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills'
import t from 'tap'
import { SKILLS } from '../../src/mcp/skills/texts.js'
import { listen, startApp } from '../helper.js'
import { MODERN, request } from './clients.js'

/** Agent Skills over MCP (SEP-2640), as the SDK's own client finds, reads and verifies them. */

const app = await startApp(t)
const base = await listen(app)

t.test('the client of the SDK lists, gets, reads and verifies each', async t => {
  const connection = new Client({ name: 'skills', version: '1' }, { versionNegotiation: { mode: { pin: MODERN } } })
  await connection.connect(new StreamableHTTPClientTransport(new URL(`${base}/mcp`)))
  t.teardown(() => connection.close())
  const client = new SkillsClient(connection)
  t.equal(client.supported, true)
  const { skills } = await client.list()
  t.same(skills.map(({ frontmatter }) => frontmatter.name).sort(), Object.keys(SKILLS).sort())
  for (const skill of skills) {
    t.match(await client.read(skill), { text: SKILLS[skill.frontmatter.name], verified: true })
    t.same((await client.get(skill.uri)).skill, skill)
  }
})

for (const era of ['legacy', 'modern'] as const) {
  t.test(`${era}: without the extension they are resources, and open to everybody`, async t => {
    const { body } = await request(app, era, 'skills/list')
    for (const { uri, frontmatter } of body.result.skills) {
      const read = await request(app, era, 'resources/read', { uri })
      t.match(read.body.result.contents, [{ uri, mimeType: 'text/markdown', text: SKILLS[frontmatter.name] }])
    }
    for (const uri of ['skill://nothing/SKILL.md', 'skill://constructor/SKILL.md', 'skill://', 'session://x']) {
      const { body } = await request(app, era, 'skills/get', { uri })
      t.match(body.error, { data: { code: 'TOOL_NOT_FOUND' } }, uri)
    }
    t.match((await request(app, era, 'skills/get', {})).body.error, { data: { code: 'INVALID_INPUT' } })
  })
}

t.test('what they name exists', async t => {
  const words = new Set(['visibility', 'suggestions', 'purpose', 'task', 'addressed', 'result', 'error', 'note'])
  for (const { name, input, output } of app.kernel.tools) {
    words.add(name)
    for (const each of [...Object.keys(input.properties), ...Object.keys(output.properties)]) words.add(each)
  }
  for (const [skill, text] of Object.entries(SKILLS))
    for (const [, word = ''] of text.matchAll(/`([a-z_]+)`/g)) {
      if (word === 'ref') continue
      t.ok(words.has(word), `${skill} names ${word}`)
    }
})
