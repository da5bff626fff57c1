import t from 'tap'
import { errorKinds } from '../../src/kernel/errors.js'
import { tools } from '../support/tools.js'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure, suggestionFaults } from '../support/failure.js'
import { token } from '../support/samples.js'

/** get_usage_guidance and get_performance_metrics. */

const app = await startApp(t)
const TOPICS = ['operations', 'coordination', 'security', 'troubleshooting']

t.test('guidance is for what this caller may do', async t => {
  const callers = {
    none: { anonymous: true },
    read: { token: await token(app, 'reader', ['read']) },
    write: { token: await token(app, 'writer', ['write', 'read']) },
    admin: { agent_id: 'boss', admin: true }
  }
  for (const [level, as] of Object.entries(callers)) {
    for (const guidance_type of TOPICS) {
      const { access_level, agent_info, guidance, examples } = await ok(
        app,
        'get_usage_guidance',
        { guidance_type },
        as
      )
      t.equal(access_level, level)
      t.equal(guidance.topic, guidance_type)
      t.match(agent_info, level === 'none' ? null : { agent_id: /./, permissions: [/./] })
      const may = tools
        .filter(
          tool => tool.permission === 'none' || level === 'admin' || agent_info?.permissions.includes(tool.permission)
        )
        .map(tool => tool.name)
      t.same(
        guidance.tools.map((tool: any) => tool.name),
        may,
        `${level} is shown just what it may call`
      )
      t.ok(
        examples.every((example: any) => may.includes(example.tool)),
        'in the examples too'
      )
      const forbidden = tools.map(tool => tool.name).filter(name => !may.includes(name))
      for (const name of forbidden)
        t.notOk(
          guidance.advice.some((text: string) => new RegExp(`\\b${name}\\b`).test(text)),
          `${level}, ${guidance_type}: ${name} is not advised`
        )
      if (guidance.advice.length > 0) t.same(suggestionFaults(guidance.advice), [], 'no name that does not exist')
      t.equal(
        /Call authenticate_agent first/.test(guidance.advice[0]),
        level === 'none',
        'who has not said who it is, is told how'
      )
      t.equal('errors' in guidance, guidance_type === 'troubleshooting')
      if ('errors' in guidance) t.same(Object.keys(guidance.errors), Object.keys(errorKinds))
    }
  }
  t.equal((await ok(app, 'get_usage_guidance', {}, { anonymous: true })).guidance.topic, 'operations')
  isFailure(t, await call(app, 'get_usage_guidance', { guidance_type: 'everything' }), 'INVALID_INPUT')
})

t.test('the examples are calls that the tools accept', async t => {
  for (const guidance_type of TOPICS) {
    for (const { tool, arguments: args } of (await ok(app, 'get_usage_guidance', { guidance_type }, { admin: true }))
      .examples) {
      t.doesNotThrow(() => app.kernel.find(tool)?.accept(args), `${tool} ${JSON.stringify(args)}`)
    }
  }
})

t.test('the figures are real', async t => {
  const session_id = await newSession(app)
  for (let i = 0; i < 5; i++) await ok(app, 'get_messages', { session_id })
  await call(app, 'get_messages', { session_id, surprise: 1 })
  const metrics = await ok(app, 'get_performance_metrics', {}, { admin: true })
  t.match(metrics, { replica: 'test-replica', version: /^\d+\.\d+\.\d+/, pool: { max: 8 } })
  t.ok(
    metrics.pool.total >= 1 &&
      metrics.pool.total <= 8 &&
      metrics.uptime_seconds >= 0 &&
      metrics.process.resident_bytes > 1_000_000
  )
  const of = metrics.tools.find((one: any) => one.tool === 'get_messages')
  t.match(of, { success: 5, error: 1 })
  t.ok(of.p50_ms > 0 && of.p50_ms <= of.p95_ms && of.p95_ms <= of.p99_ms)
  t.ok(metrics.database.size_bytes > 1_000_000)
  t.same(Object.keys(metrics.database.estimated_rows).sort(), ['agent_memory', 'audit_log', 'messages', 'sessions'])
})

t.test('the metrics page', async t => {
  const session_id = await newSession(app)
  await ok(app, 'add_message', { session_id, content: 'x' }, { agent_id: 'agent-in-no-label' })
  await call(app, 'no_such_tool_in_no_label')
  await app.server.inject({ url: '/nothing/in-no-label' })
  const { body, headers } = await app.server.inject({ url: '/metrics' })
  t.match(headers['content-type'], /^text\/plain/)
  for (const line of [
    /^mcp_requests_total\{tool="add_message",status="success"\} \d+$/m,
    /^mcp_request_duration_seconds_bucket\{le="0\.005",tool="add_message"\} \d+$/m,
    /^mcp_active_sessions \d+$/m,
    /^mcp_active_agents \d+$/m,
    /^http_request_duration_seconds_count\{method="POST",route="[^"]*add_message",status_code="200"\} \d+$/m,
    /^database_pool_connections \d+$/m,
    /^database_pool_max 8$/m,
    /^nodejs_eventloop_lag_seconds /m
  ])
    t.match(body, line)
  t.notOk(
    body.includes('in-no-label') || body.includes('in_no_label') || body.includes(session_id),
    'labels come from small fixed sets'
  )
})
