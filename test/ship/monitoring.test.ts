import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { errorKinds } from '../../src/kernel/errors.js'
import { readMetricsPage, readPromQl } from '../support/promql.js'
import { until } from '../support/until.js'
import { call, listen, newSession, ok, ROOT, startApp } from '../helper.js'
import { text, yaml } from './files.js'

/** Dashboards and alerts ask for nothing that a server does not have, and every alert is explained. */

const GRAFANA = readdirSync(join(ROOT, 'deploy/grafana')).filter(name => name.endsWith('.json'))
const dashboards = GRAFANA.map(name => ({ name, of: JSON.parse(text(`deploy/grafana/${name}`)) }))
const groups = yaml('deploy/prometheus/rules.yaml').groups
const rules: any[] = groups.flatMap((group: any) => group.rules)

/** What Prometheus adds to each line, and what it knows by itself. */
const OF_PROMETHEUS = { labels: ['job', 'instance'], metrics: ['up'] }

t.test('every metric and every label is on the page of a server that does its work', async t => {
  const app = await startApp(t, { AUDIT_HMAC_KEY: 'a-key-of-the-audit-chain-0123456789', REDACTION: 'report' })
  const address = await listen(app)
  const session_id = await newSession(app)
  // The database's clock is known to some milliseconds: a message seems to be older than a wait that has just begun.
  await until(async () => {
    const waiting = ok(app, 'wait_for_messages', { session_id, timeout_seconds: 20 }, { agent_id: 'reader' })
    await until(async () => (await metrics()).includes('\nwaiters 1\n'), 'somebody waits')
    await ok(app, 'add_message', { session_id, content: 'Hello' })
    t.equal((await waiting).count, 1)
    return (await metrics()).includes('\nmessage_wake_seconds_count 1\n')
  }, 'the call that waited was woken once')
  t.equal((await call(app, 'get_session', { session_id: 'session_0123456789abcdef' })).status, 404)

  const page = await metrics()
  const known = readMetricsPage(page)
  const tools = app.kernel.tools.map(({ name }) => name)
  t.match(page, /^mcp_errors_total\{tool="get_session",code="SESSION_NOT_FOUND"\} 1$/m)
  t.match(page, /^mcp_errors_total\{tool="add_message",code="INTERNAL_ERROR"\} 0$/m, 'the first one is seen as a rise')

  const explained = text('docs/operations.md')
  t.same(
    [...page.matchAll(/^# TYPE (\S+)/gm)]
      .map(([, name = '']) => name)
      .filter(name => !/^(nodejs|process)_/.test(name) && !explained.includes(`\`${name}`)),
    [],
    'docs/operations.md explains all of our own'
  )

  const expressions = [
    ...rules.map(({ alert, expr }) => [alert, expr]),
    ...dashboards.flatMap(({ name, of }) => [
      ...of.panels.flatMap(({ title, targets = [] }: any) => targets.map(({ expr }: any) => [`${name} ${title}`, expr]))
    ])
  ] as Array<[string, string]>
  t.ok(expressions.length > 60)
  for (const [place, expression] of expressions) {
    const { asked, grouped } = readPromQl(expression)
    t.ok(asked.length > 0, place)
    for (const { metric, labels } of asked) {
      const own = known.get(metric)
      if (!OF_PROMETHEUS.metrics.includes(metric)) t.ok(own !== undefined, `${place}: ${metric} is on the page`)
      t.ok(
        labels.some(({ name }) => name === 'job'),
        `${place}: ${metric} of our job alone`
      )
      for (const { name, operator, value } of labels) {
        if (OF_PROMETHEUS.labels.includes(name)) continue
        t.ok(own?.has(name), `${place}: ${metric} has the label ${name}`)
        const values = operator.endsWith('~') ? value.split('|') : [value]
        if (name === 'code')
          t.same(
            values.filter(code => !(code in errorKinds)),
            [],
            `${place}: codes that exist`
          )
        if (name === 'tool')
          for (const each of values)
            t.ok(
              tools.some(tool => new RegExp(`^(?:${each})$`).test(tool)),
              `${place}: ${each} is a tool`
            )
      }
    }
    const labels = new Set(asked.flatMap(({ metric }) => [...(known.get(metric) ?? [])]))
    for (const name of grouped)
      t.ok(labels.has(name) || OF_PROMETHEUS.labels.includes(name), `${place}: grouped by ${name}, which is there`)
  }

  async function metrics(): Promise<string> {
    return (await fetch(`${address}/metrics`)).text()
  }
})

t.test('a claimed task and a held name are counted, in all workspaces', async t => {
  const app = await startApp(t)
  const figure = async (name: string) => {
    const page = (await app.server.inject('/metrics')).body
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1])
  }
  await ok(app, 'create_task', { title: 'one' })
  await ok(app, 'create_task', { title: 'two' })
  await ok(app, 'claim_task', {})
  await ok(app, 'acquire_lease', { names: ['a', 'b'] })
  t.same([await figure('tasks_ready'), await figure('tasks_held'), await figure('leases_held')], [1, 1, 2])
  t.ok((await figure('tasks_ready_oldest_seconds')) > 0)
})

t.test('every alert has a section in the runbooks, and every section an alert', async t => {
  const page = text('docs/runbooks.md')
  const sections = [...page.matchAll(/^## (\S+)\n([^]*?)(?=^## |$(?![^]))/gm)]
  t.same(
    sections.map(([, name]) => name),
    rules.map(({ alert }) => alert),
    'in the same order'
  )
  for (const [, name = '', words = ''] of sections) {
    for (const part of ['What it means.', 'Look at', 'Do']) t.match(words, `**${part}`, `${name}: ${part}`)
  }
  for (const { alert, annotations, labels, for: duration } of rules) {
    t.equal(annotations.runbook_url, `docs/runbooks.md#${alert.toLowerCase()}`)
    t.match(annotations.summary, /\.$/)
    t.ok(['critical', 'warning'].includes(labels.severity), alert)
    t.ok(duration !== undefined || /INTERNAL_ERROR/.test(JSON.stringify(annotations)), `${alert} waits a while`)
  }
})

t.test('each alert is raised in a test of promtool', async t => {
  const raised = readdirSync(join(ROOT, 'deploy/prometheus'))
    .filter(name => name.endsWith('.test.yaml'))
    .flatMap(name => yaml(`deploy/prometheus/${name}`).tests)
    .flatMap((test: any) => test.alert_rule_test)
    .filter((test: any) => test.exp_alerts.length > 0)
    .map((test: any) => test.alertname)
  t.same([...new Set(raised)].sort(), rules.map(({ alert }) => alert).sort())
})

t.test('the dashboards are what Grafana takes', async t => {
  t.equal(new Set(dashboards.map(({ of }) => of.uid)).size, dashboards.length)
  for (const { name, of } of dashboards) {
    t.match(of, {
      title: /^Shared context: /,
      schemaVersion: 39,
      templating: { list: [{ type: 'datasource' }, {}, {}] }
    })
    t.equal(new Set(of.panels.map(({ id }: any) => id)).size, of.panels.length, name)
    const cells = new Set<string>()
    for (const { title, type, description, gridPos, targets, datasource } of of.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          if (cells.has(`${x} ${y}`)) t.fail(`${name} ${title} lies on another panel`)
          cells.add(`${x} ${y}`)
        }
      t.ok(gridPos.x + gridPos.w <= 24, title)
      if (type === 'row') continue
      t.ok(description.length > 0 && targets.length > 0, title)
      t.same(datasource, { type: 'prometheus', uid: '${datasource}' })
    }
  }
})
