import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { ErrorCode } from '../../src/kernel/errors.js'
import { answerSchema, plain } from '../../src/http/openapi.js'
import { takesIdempotencyKey, type Tool } from '../../src/kernel/tool.js'
import { tools } from '../support/tools.js'
import { ADMIN_API_KEY, API_KEY, type Answer, type As, call, startApp, type TestApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { faults, type JsonSchema } from '../support/json-schema.js'
import { PRIVATE_TEXTS, type Sample, samples, token } from '../support/samples.js'

/** The questions that are asked of every tool, over REST; test/mcp asks them over MCP. */

const app = await startApp(t)

/** The event of a tool's audit row; `undefined` for tools that only read. */
const EVENTS: Record<string, string | undefined> = {
  authenticate_agent: 'agent_authenticated',
  refresh_token: 'token_refreshed',
  revoke_token: 'token_revoked',
  create_token: 'token_created',
  create_session: 'session_created',
  update_session: 'session_opened',
  close_session: 'session_closed',
  archive_session: 'session_archived',
  delete_session: 'session_deleted',
  delete_message: 'message_deleted',
  export_session: 'session_exported',
  import_session: 'session_imported',
  get_retention: 'retention_read',
  set_retention: 'retention_set',
  erase_agent: 'agent_erased',
  add_message: 'message_added',
  add_messages: 'message_added',
  mark_read: 'session_read',
  get_inbox: 'inbox_read',
  wait_for_inbox: 'inbox_read',
  ack_messages: 'messages_acknowledged',
  ask: 'message_added',
  set_status: 'status_set',
  set_message_visibility: 'message_visibility_changed',
  set_memory: 'memory_set',
  delete_memory: 'memory_deleted',
  update_memory: 'memory_updated',
  batch_memory: 'memory_batch',
  set_namespace: 'namespace_set',
  create_task: 'task_created',
  create_tasks: 'task_created',
  claim_task: 'task_claimed',
  renew_task: 'task_renewed',
  complete_task: 'task_completed',
  fail_task: 'task_failed',
  release_task: 'task_released',
  update_task: 'task_updated',
  cancel_task: 'task_canceled',
  acquire_lease: 'lease_acquired',
  renew_lease: 'lease_renewed',
  release_lease: 'lease_released',
  create_api_key: 'api_key_created',
  list_api_keys: 'api_keys_listed',
  revoke_api_key: 'api_key_revoked',
  get_performance_metrics: 'metrics_read',
  get_server_health: 'metrics_read',
  list_workspaces: 'workspaces_listed',
  get_audit_log: 'audit_read',
  verify_audit_log: 'audit_verified'
}

type Property = JsonSchema & { default?: unknown; minimum?: number }

function propertiesOf(tool: Tool): Record<string, Property> {
  return (plain(tool.input) as { properties: Record<string, Property> }).properties
}

function isRequired(tool: Tool, name: string): boolean {
  return (tool.input.required ?? []).includes(name)
}

async function sampleOf(tool: Tool): Promise<Sample & { as: As }> {
  const sample = await (samples[tool.name] as (app: TestApp) => Promise<Sample>)(app)
  return { ...sample, as: sample.as ?? {} }
}

/** Just what a call needs. */
function required(tool: Tool, { args, least }: Sample): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).filter(([name]) => isRequired(tool, name) || name === least))
}

function succeeds(t: Test, { status, body }: Answer, what: string): void {
  t.equal(status === 200 && body.success, true, `${what}${body.success === true ? '' : `: ${JSON.stringify(body)}`}`)
}

/** A value that is of the wrong type for the argument; undefined where every JSON value is right. */
function wrong(property: Property): unknown[] {
  switch (property.type) {
    case 'string':
      return [17, true, ['a'], {}]
    case 'integer':
      return ['many', true, ' ', [], 1.5, '1e3', '0x10']
    case 'number':
      return ['many', true, '', {}]
    case 'boolean':
      return ['true', 1, {}]
    case 'array':
      return ['text', 5, {}]
    case 'object':
      return ['text', 5, []]
    default:
      return []
  }
}

async function countsOf(tool: string): Promise<Record<'success' | 'error', number>> {
  const { body } = await app.server.inject({ url: '/metrics' })
  const read = (status: string) =>
    Number(new RegExp(`^mcp_requests_total\\{tool="${tool}",status="${status}"\\} (\\d+)$`, 'm').exec(body)?.[1] ?? 0)
  return { success: read('success'), error: read('error') }
}

async function auditRows(request_id: string) {
  return app.database.db.selectFrom('audit_log').selectAll().where('request_id', '=', request_id).execute()
}

await t.test('every tool has a sample, with every argument it takes', async t => {
  t.same(Object.keys(samples).sort(), tools.map(tool => tool.name).sort())
  for (const tool of tools) {
    const { args, instead } = await sampleOf(tool)
    t.same(Object.keys({ ...args, ...instead }).sort(), Object.keys(propertiesOf(tool)).sort(), tool.name)
  }
})

for (const tool of tools) {
  await t.test(tool.name, async t => {
    t.test('answers a call with every argument as its schema says', async t => {
      const sample = await sampleOf(tool)
      for (const args of [sample.args, required(tool, sample), ...(sample.instead ? [sample.instead] : [])]) {
        // Tools that use up their token or key get fresh ones.
        const { as, args: fresh } = await sampleOf(tool)
        const answer = await call(
          app,
          tool.name,
          Object.fromEntries(Object.keys(args).map(name => [name, fresh[name] ?? args[name]])),
          as
        )
        succeeds(t, answer, Object.keys(args).join(', '))
        t.same(faults(answerSchema(tool), answer.body), [])
        t.match(answer.headers, { 'content-type': 'application/json; charset=utf-8', 'x-request-id': /./ })
      }
    })

    t.test('without credentials', async t => {
      const answer = await call(app, tool.name, {}, { anonymous: true })
      if (tool.name === 'get_usage_guidance') succeeds(t, answer, 'is for everybody')
      else if (tool.name === 'authenticate_agent')
        isFailure(
          t,
          await call(app, tool.name, { agent_id: 'a', agent_type: 'b' }, { anonymous: true }),
          'INVALID_API_KEY'
        )
      else isFailure(t, answer, 'AUTHENTICATION_REQUIRED')
    })

    t.test('with a bad credential', async t => {
      const bad: Array<Record<string, string>> = [
        { authorization: 'Bearer None' },
        { authorization: 'Basic abc' },
        { 'x-api-key': 'wrong', 'x-agent-id': 'a' }
      ]
      for (const headers of bad) {
        const { args } = await sampleOf(tool)
        const answer = await call(
          app,
          tool.name,
          { ...args, ...(tool.credentials === 'own' && { api_key: 'wrong' }) },
          { anonymous: true, headers }
        )
        isFailure(t, answer, tool.credentials === 'own' || 'x-api-key' in headers ? 'INVALID_API_KEY' : 'INVALID_TOKEN')
      }
    })

    if (tool.permission !== 'none') {
      t.test('with too few permissions', async t => {
        const { args } = await sampleOf(tool)
        const has = tool.permission === 'read' ? ['write'] : tool.permission === 'write' ? ['read'] : ['read', 'write']
        const request_id = randomUUID()
        const answer = await call(app, tool.name, args, {
          token: await token(app, 'a-limited-agent', has),
          headers: { 'x-request-id': request_id }
        })
        isFailure(t, answer, 'PERMISSION_DENIED')
        t.match(answer.body.context, { required_permission: tool.permission, current_permissions: has })
        t.match(answer.body, { request_id })
        t.match(
          await eventually(
            () => auditRows(request_id),
            rows => rows.length > 0
          ),
          [
            {
              event_type: 'permission_denied',
              action: tool.name,
              agent_id: 'a-limited-agent',
              result: 'refused',
              metadata: { code: 'PERMISSION_DENIED' }
            }
          ]
        )
      })
    }

    t.test('with arguments that do not fit', async t => {
      const { args, as, instead } = await sampleOf(tool)
      const properties = propertiesOf(tool)
      const withoutOthers = Object.fromEntries(
        Object.keys(args)
          .filter(name => !(name in (instead ?? {})))
          .map(name => [name, undefined])
      )

      const unknown = await call(app, tool.name, { ...args, surprise: 1 }, as)
      isFailure(t, unknown, 'INVALID_INPUT', 'an unknown argument')
      t.match(unknown.body.context, { argument: 'surprise', allowed: Object.keys(properties) })
      for (const name of Object.keys(properties)) {
        const misspelt = await call(app, tool.name, { ...args, [`${name}x`]: 1 }, as)
        isFailure(t, misspelt, 'INVALID_INPUT', `${name}x`)
        t.match(misspelt.body.suggestions[0], `'${name}'`, 'the nearest is named')
      }

      for (const name of tool.input.required ?? []) {
        for (const { [name]: _, ...rest } of [args, { ...args, [name]: undefined }]) {
          const missing = await call(app, tool.name, rest, as)
          isFailure(t, missing, 'INVALID_INPUT', `${name} missing`)
          t.match(missing.body.context, { argument: name, given: 'nothing', allowed: /./ })
        }
        if (properties[name]?.type !== undefined)
          isFailure(t, await call(app, tool.name, { ...args, [name]: null }, as), 'INVALID_INPUT', `${name}: null`)
      }

      for (const [name, property] of Object.entries(properties)) {
        for (const value of wrong(property)) {
          const answer = await call(
            app,
            tool.name,
            { ...args, ...(instead !== undefined && name in instead ? withoutOthers : {}), [name]: value },
            as
          )
          isFailure(t, answer, codeOf(name), `${name}: ${JSON.stringify(value)}`)
          t.match(answer.body.context, { argument: name, given: /./, allowed: /./ })
        }
        if (property.enum !== undefined)
          isFailure(
            t,
            await call(app, tool.name, { ...args, [name]: 'nonsense' }, as),
            codeOf(name),
            `${name}: nonsense`
          )
        if (property.minimum !== undefined)
          isFailure(
            t,
            await call(app, tool.name, { ...args, [name]: property.minimum - 1 }, as),
            codeOf(name),
            `${name}: below`
          )
        if (property.maximum !== undefined && property.maximum !== Number.MAX_SAFE_INTEGER)
          isFailure(
            t,
            await call(app, tool.name, { ...args, [name]: Number(property.maximum) + 1 }, as),
            codeOf(name),
            `${name}: above`
          )
        if (typeof property.maxLength === 'number')
          isFailure(
            t,
            await call(app, tool.name, { ...args, [name]: 'x'.repeat(property.maxLength + 1) }, as),
            name === 'content' ? 'CONTENT_TOO_LARGE' : codeOf(name),
            `${name}: too long`
          )
      }
      for (const body of [[], 'text', 5, true])
        isFailure(t, await call(app, tool.name, body, as), 'INVALID_INPUT', `the body ${JSON.stringify(body)}`)
    })

    t.test('null for an optional argument is absent', async t => {
      for (const name of Object.keys(propertiesOf(tool)).filter(name => !isRequired(tool, name))) {
        const sample = await sampleOf(tool)
        const other = name === sample.least ? sample.otherwise : {}
        succeeds(
          t,
          await call(app, tool.name, { ...required(tool, sample), ...other, [name]: null }, sample.as),
          `${name}: null`
        )
      }
    })

    t.test('numbers in strings, and objects in strings for metadata', async t => {
      for (const [name, property] of Object.entries(propertiesOf(tool))) {
        if (property.type !== 'integer' && property.type !== 'number' && property.type !== 'object') continue
        const { args, as } = await sampleOf(tool)
        const sent = property.type === 'object' ? JSON.stringify(args[name]) : String(args[name])
        succeeds(t, await call(app, tool.name, { ...args, [name]: sent }, as), `${name}: ${sent}`)
      }
    })

    t.test('is counted', async t => {
      const before = await countsOf(tool.name)
      const { args, as } = await sampleOf(tool)
      const between = await countsOf(tool.name)
      await call(app, tool.name, args, as)
      await call(app, tool.name, { ...args, surprise: 1 }, as)
      const after = await countsOf(tool.name)
      t.ok(between.success >= before.success)
      t.same(after, { success: between.success + 1, error: between.error + 1 })
    })

    t.test('is audited if it writes, without what is private', async t => {
      const { args, as } = await sampleOf(tool)
      const request_id = randomUUID()
      const { body } = await call(app, tool.name, args, {
        ...as,
        headers: { ...as.headers, 'x-request-id': request_id }
      })
      t.equal(body.success, true)
      const rows = await auditRows(request_id)
      const event_type = EVENTS[tool.name]
      t.equal(rows.length, event_type === undefined ? 0 : 1)
      if (event_type === undefined) return
      t.match(rows, [
        { event_type, action: tool.name, result: 'success', agent_id: /^(agent-1|an-admin)$/, workspace: 'default' }
      ])
      if ('session_id' in args && tool.effect !== 'reads') t.equal(rows[0]?.session_id, args.session_id)
      const text = JSON.stringify(rows)
      const secrets = [
        ...Object.values(PRIVATE_TEXTS),
        API_KEY,
        ADMIN_API_KEY,
        body.token,
        body.api_key,
        as.token,
        args.token,
        args.current_token
      ].filter(one => typeof one === 'string')
      for (const secret of secrets) t.notOk(text.includes(secret), 'no private text')
    })

    if (takesIdempotencyKey(tool)) {
      t.test('happens once with an idempotency_key', async t => {
        const { args, as } = await sampleOf(tool)
        const first = await call(app, tool.name, args, as)
        succeeds(t, first, 'the first call')
        t.same((await call(app, tool.name, args, as)).body, first.body, 'the same call gets the first answer')
        const { idempotency_key, ...rest } = args
        const byHeader = await call(
          app,
          tool.name,
          { ...rest, idempotency_key: null },
          { ...as, headers: { 'idempotency-key': idempotency_key as string } }
        )
        t.same(byHeader.body, first.body, 'the header Idempotency-Key is the same')
        isFailure(
          t,
          await call(app, tool.name, { ...(await sampleOf(tool)).args, idempotency_key }, as),
          'IDEMPOTENCY_CONFLICT',
          'other arguments'
        )
      })
    }
  })
}

function codeOf(name: string): ErrorCode {
  if (name === 'metadata' || name === 'metadata_filter') return 'INVALID_METADATA'
  if (name === 'visibility' || name === 'visibility_filter') return 'INVALID_VISIBILITY'
  if (name === 'expires_in') return 'INVALID_TTL'
  if (name === 'key') return 'INVALID_KEY'
  if (name === 'start_time' || name === 'end_time') return 'INVALID_DATETIME'
  return 'INVALID_INPUT'
}

async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let i = 0; ; i++) {
    const value = await read()
    if (holds(value) || i > 200) return value
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
