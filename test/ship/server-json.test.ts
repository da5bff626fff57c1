import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { variables } from '../../src/config/config.js'
import { ROOT } from '../helper.js'

/** What registries of MCP servers read agrees with the package. Their rules: server.json of 2025-12-11. */

const json = async (name: string) => JSON.parse(await readFile(join(ROOT, name), 'utf8'))

t.test('server.json says what the package is', async t => {
  const [server, manifest] = await Promise.all([json('server.json'), json('package.json')])
  t.match(server.name, /^[a-z0-9.-]+\/[a-z0-9._-]+$/)
  t.equal(server.name, manifest.mcpName, 'a registry compares the two')
  t.ok(server.description.length <= 100)
  t.equal(server.version, manifest.version)
  const [npm] = server.packages
  t.match(npm, { registryType: 'npm', identifier: manifest.name, version: manifest.version })
  t.same(npm.packageArguments, [{ type: 'positional', value: 'mcp' }], 'the command that speaks stdio')
  for (const { name } of npm.environmentVariables)
    t.ok(
      variables.some(variable => variable.name === name),
      name
    )
  for (const { type, url, variables } of server.remotes) {
    t.equal(type, 'streamable-http')
    for (const [, name = ''] of url.matchAll(/\{(\w+)\}/g)) t.ok(name in variables, name)
  }
})
