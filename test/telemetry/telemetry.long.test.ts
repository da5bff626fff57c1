import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compiled, credentials, environment, ROOT, runProgram } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { temporaryFolder } from '../support/own-server.js'
import { quietPort } from '../support/ports.js'
import { until } from '../support/until.js'
import { startReceiver } from './receiver.js'

/** The service sends its spans and metrics to a collector on this machine, if it is told to. */

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const traceparent = `00-${TRACE}-${PARENT}-01`
const SECRET = 'what-nobody-outside-may-read'

const receiver = await startReceiver(t)
const database = await createDatabase()
const program = await runProgram(
  t,
  ['serve'],
  environment(database.url, {
    LOG_LEVEL: 'info',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test'
  })
)
t.teardown(() => database.drop())

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<any> {
  const response = await fetch(`${program.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...credentials({ agent_id: 'the-agents-own-name' }),
      ...headers
    },
    body: JSON.stringify(body)
  })
  return response.json()
}

const call = (tool: string, args: unknown, headers?: Record<string, string>) => post(`/mcp/tool/${tool}`, args, headers)
const spansOf = (trace: string) => receiver.spans.filter(({ traceId }) => traceId === trace)
const named = async (trace: string, name: string) => {
  await until(() => spansOf(trace).some(span => span.name === name), `the span ${name} has come`)
  return spansOf(trace).find(span => span.name === name) as (typeof receiver.spans)[number]
}

const { session_id } = await call('create_session', { purpose: SECRET })

t.test('a call is a span of the trace that its client names; its statements are spans within', async t => {
  await call('add_message', { session_id, content: SECRET }, { traceparent })
  const span = await named(TRACE, 'add_message')
  t.match(span, { parentSpanId: PARENT, kind: 2, attributes: { 'scs.tool': 'add_message', 'scs.front': 'rest' } })
  t.not(span.status.code, 2)
  await until(() => spansOf(TRACE).some(({ parentSpanId }) => parentSpanId === span.spanId), 'a statement has come')
  for (const statement of spansOf(TRACE).filter(({ parentSpanId }) => parentSpanId === span.spanId)) {
    t.match(statement, { kind: 3, attributes: { 'db.system.name': 'postgresql' } })
    t.match(statement.name, /^[a-z][a-z0-9 _-]{1,40}$/, 'the name of the statement')
    t.ok(BigInt(statement.startTimeUnixNano) >= BigInt(span.startTimeUnixNano))
  }
  t.match(receiver.resource, {
    'service.name': 'shared-context-server',
    'service.instance.id': String,
    'deployment.environment.name': 'test'
  })
})

t.test('over MCP, what the message says comes before the header', async t => {
  const trace = '11111111111111111111111111111111'
  const meta = { traceparent: `00-${trace}-${PARENT}-01` }
  const init = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a', version: '1' } }
  const params = { name: 'get_session', arguments: { session_id }, _meta: meta }
  await post('/mcp', { jsonrpc: '2.0', id: 1, method: 'initialize', params: init })
  await post('/mcp', { jsonrpc: '2.0', id: 2, method: 'tools/call', params }, { traceparent })
  t.match(await named(trace, 'get_session'), { parentSpanId: PARENT, attributes: { 'scs.front': 'mcp' } })
})

t.test('a failed call says its code; the log has the ids', async t => {
  const trace = '22222222222222222222222222222222'
  await call('get_session', { session_id: 'session_0123456789abcdef' }, { traceparent: `00-${trace}-${PARENT}-01` })
  const span = await named(trace, 'get_session')
  t.match(span, { status: { code: 2 }, attributes: { 'error.type': 'SESSION_NOT_FOUND' } })
  const line = program
    .output()
    .split('\n')
    .find(each => each.includes(trace))
  t.match(JSON.parse(line as string), {
    trace_id: trace,
    span_id: span.spanId,
    tool: 'get_session',
    agent_id: 'the-agents-own-name',
    request_id: span.attributes['scs.request_id']
  })
})

t.test('a wait is a span of its own', async t => {
  const trace = '33333333333333333333333333333333'
  const of = { traceparent: `00-${trace}-${PARENT}-01` }
  await call('wait_for_messages', { session_id, timeout_seconds: 0.2 }, of)
  const waiting = await named(trace, 'wait')
  t.equal(waiting.parentSpanId, (await named(trace, 'wait_for_messages')).spanId)
  t.ok(BigInt(waiting.endTimeUnixNano) - BigInt(waiting.startTimeUnixNano) > 100_000_000n)
})

t.test('a client that does not want its call traced is obeyed; nonsense is no trace', async t => {
  const trace = '44444444444444444444444444444444'
  await call('get_session', { session_id }, { traceparent: `00-${trace}-${PARENT}-00` })
  t.match(await call('get_session', { session_id }, { traceparent: 'nonsense' }), { success: true })
  const later = '55555555555555555555555555555555'
  await call('get_session', { session_id }, { traceparent: `00-${later}-${PARENT}-01` })
  await named(later, 'get_session')
  t.same(spansOf(trace), [])
})

t.test('the metrics are those of /metrics', async t => {
  const success = () =>
    receiver.metrics
      .get('mcp_requests_total')
      ?.points.find(({ attributes }) => attributes.tool === 'add_message' && attributes.status === 'success')
  await until(() => success()?.asDouble === 1, 'the call is counted')
  const page = await (await fetch(`${program.url}/metrics`)).text()
  const known = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name]) => name as string)
  await until(() => known.every(name => receiver.metrics.has(name)), 'all of them have come')
  const duration = receiver.metrics.get('mcp_request_duration_seconds')
  const point = duration?.points.find(({ attributes }) => attributes.tool === 'add_message')
  t.match(duration, { unit: 's' })
  t.equal(Number(point?.count), 1)
  t.equal(
    point?.bucketCounts.map(Number).reduce((sum: number, count: number) => sum + count, 0),
    1,
    'each bucket counts for itself'
  )
  t.equal(point?.bucketCounts.length, point?.explicitBounds.length + 1)
})

t.test('nothing that agents write, nor who they are, leaves in a span', async t => {
  const all = receiver.raw.join()
  for (const text of [SECRET, 'the-agents-own-name', session_id]) t.notOk(all.includes(text), text)
})

t.test('what is left is sent at the end', async t => {
  const trace = '66666666666666666666666666666666'
  await call('get_session', { session_id }, { traceparent: `00-${trace}-${PARENT}-01` })
  t.equal(await program.stop(), 0)
  t.equal(spansOf(trace).filter(({ name }) => name === 'get_session').length, 1)
})

t.test('a collector that is not there keeps the service neither from working nor from stopping', async t => {
  const own = await createDatabase()
  t.teardown(() => own.drop())
  const env = environment(own.url, {
    LOG_LEVEL: 'info',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await quietPort()}`,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_EXPORTER_OTLP_TIMEOUT: '300',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_TRACES_SAMPLER: 'nonsense',
    OTEL_EXPORTER_OTLP_HEADERS: `x-tenant=a,authorization: Bearer ${SECRET},`,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `collector:of:${SECRET}@nowhere:x`
  })
  const running = await runProgram(t, ['serve'], env)
  for (let n = 0; n < 3; n++) {
    const response = await fetch(`${running.url}/mcp/tool/create_session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...credentials({}) },
      body: JSON.stringify({ purpose: 'a trial' })
    })
    t.equal(response.status, 200)
    await until(() => running.output().includes('does not take what it is sent'), 'the log says that nobody is there')
  }
  t.equal(await running.stop(), 0)
  const lines = running.output().split('\n')
  const saying = (text: string) => lines.filter(line => line.includes(text)).length
  t.equal(saying('does not take what it is sent'), 1, 'once, not for each export')
  t.equal(saying('OTEL_TRACES_SAMPLER value'), 1, 'a value that means nothing is told, once')
  t.equal(saying('OTEL_EXPORTER_OTLP_HEADERS: header 2 is not'), 1, 'so is a header')
  t.notMatch(running.output(), SECRET)
})

t.test('without the variable nothing of OpenTelemetry is loaded; without the packages the start says so', async t => {
  const folder = await temporaryFolder(t)
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== '@opentelemetry') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  compiled()
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  const own = await createDatabase()
  t.teardown(() => own.drop())
  const cli = join(folder, 'dist/src/cli.js')
  const running = await runProgram(t, ['serve'], environment(own.url), { file: cli, cwd: folder })
  t.equal((await fetch(`${running.url}/health/ready`)).status, 200, 'it runs without the packages')
  t.equal(await running.stop(), 0)
  const env = environment(own.url, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint })
  const { status, stderr } = spawnSync(process.execPath, [cli, 'serve'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env }
  })
  t.equal(status, 1)
  t.match(stderr, /OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages of OpenTelemetry are not installed/)
  t.notMatch(stderr, /\n\s+at /, 'and no stack trace')
})
