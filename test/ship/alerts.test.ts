import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { mustFind, needs } from '../support/programs.js'
import { ROOT } from '../helper.js'

const FOLDER = join(ROOT, 'deploy/prometheus')

test('Prometheus takes the rules, and they are raised by what they are for', needs('promtool'), async t => {
  const promtool = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(mustFind('promtool'), args, { cwd: FOLDER, encoding: 'utf8' })
    t.equal(status, 0, `promtool ${args.join(' ')}\n${stdout}${stderr}`)
  }
  promtool('check', 'rules', 'rules.yaml')
  promtool('check', 'config', '--syntax-only', 'scrape.yaml')
  promtool('test', 'rules', ...readdirSync(FOLDER).filter(name => name.endsWith('.test.yaml')))
})
