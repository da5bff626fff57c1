import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { test } from 'tap'
import { ROOT } from '../helper.js'
import { envFile, text, unknownNames, yaml } from './files.js'

/** What can be said of the Helm chart without Helm; chart.long.test.ts renders it. */

const CHART = 'deploy/helm/shared-context-server'
const values = yaml(`${CHART}/values.yaml`)
const check = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
  JSON.parse(text(`${CHART}/values.schema.json`)) as object
)

test('the values fit their schema, which refuses what is misspelt or does not belong there', async t => {
  t.ok(check(values), JSON.stringify(check.errors))
  const wrong: Array<[string, (values: any) => void]> = [
    ['a misspelt value', given => (given.replica = 3)],
    ['a misspelt value inside', given => (given.service.typ = 'ClusterIP')],
    ['a number in the place of a text', given => (given.config.METRICS_PORT = 9090)],
    ['a secret among the settings', given => (given.config.API_KEY = 'k'.repeat(40))],
    ['a port that the image has', given => (given.config.PORT = '8080')],
    ['a password that would need quoting', given => (given.postgresql.password = "it's-a-password-of-mine")],
    ['a short key', given => (given.secrets.values.API_KEY = 'short')],
    ['an unknown way to migrate', given => (given.migration.mode = 'initcontainer')],
    ['an amount that is none', given => (given.resources.limits.memory = '512MB')]
  ]
  for (const [name, change] of wrong) {
    const given = structuredClone(values)
    change(given)
    t.notOk(check(given), name)
  }
})

test('every value is in the schema', async t => {
  const { properties } = JSON.parse(text(`${CHART}/values.schema.json`)) as { properties: object }
  t.same(
    Object.keys(values).sort(),
    Object.keys(properties)
      .filter(name => name !== 'global')
      .sort()
  )
})

test('its settings are those of k8s/, and variables of the service', async t => {
  t.same(values.config, envFile('k8s/config.env'))
  t.same(unknownNames(Object.keys(values.config)), [])
})

test('chart and program have one version; rules and dashboards are the files themselves', async t => {
  const { version } = JSON.parse(text('package.json')) as { version: string }
  t.match(yaml(`${CHART}/Chart.yaml`), { version, appVersion: version })
  t.equal(readlinkSync(join(ROOT, CHART, 'files/rules.yaml')), '../../../prometheus/rules.yaml')
  t.equal(readlinkSync(join(ROOT, CHART, 'files/dashboards')), '../../../grafana')
})
