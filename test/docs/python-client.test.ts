import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { committed, FILES } from '../../scripts/python-client.js'
import { version } from '../../src/version.js'
import { ROOT } from '../helper.js'

test('the Python client has what npm run docs writes', async t => {
  for (const [name, text] of Object.entries(FILES))
    t.ok(committed(name) === text, `${name} is out of date: run npm run docs`)
})

test('the Python client has the version of the server', async t => {
  const project = readFileSync(join(ROOT, 'clients/python/pyproject.toml'), 'utf8')
  t.match(project, `\nversion = "${version}"\n`)
})
