import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { temporaryFolder } from '../support/own-server.js'
import { mustFind, needs } from '../support/programs.js'
import { ROOT } from '../helper.js'
import { text } from './files.js'

const FOLDER = join(ROOT, 'deploy/prometheus')

test('Prometheus takes the rules, and they are raised by what they are for', needs('promtool'), async t => {
  const promtool = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(mustFind('promtool'), args, { cwd: FOLDER, encoding: 'utf8' })
    t.equal(status, 0, `promtool ${args.join(' ')}\n${stdout}${stderr}`)
  }
  promtool('check', 'rules', 'rules.yaml')
  promtool('test', 'rules', ...readdirSync(FOLDER).filter(name => name.endsWith('.test.yaml')))
  // Debian builds Prometheus without its discovery of pods.
  const scrape = text('deploy/prometheus/scrape.yaml')
  const discovery = /kubernetes_sd_configs:\n +- role: pod\n/
  t.match(scrape, discovery)
  const file = join(await temporaryFolder(t), 'scrape.yaml')
  writeFileSync(file, scrape.replace(discovery, 'static_configs: [{ targets: [localhost:9090] }]\n'))
  promtool('check', 'config', '--syntax-only', file)
})
