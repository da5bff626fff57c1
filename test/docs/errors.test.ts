import { test } from 'tap'
import { errorsOf } from '../../scripts/docs.js'
import type { ErrorCode } from '../../src/kernel/errors.js'
import { tools } from '../support/tools.js'
import { API_KEY, type As, call, newSession, ok, startApp } from '../helper.js'

/**
 * docs/tools.md lists the errors of each tool: every one of them is provoked here, so that the page cannot promise what
 * never happens.
 */

const NO_SESSION = 'session_0000000000000000'
const NO_TASK = 'task_0000000000000000'
const NO_MESSAGE = 999_999_999
const BIG = 'x'.repeat(100_001)
const LARGE = 'x'.repeat(4 * 1024 * 1024)

interface Place {
  live: string
  session_id: string
  closed: string
  message_id: number
  to_agent_1: number
  doomed: string
  doomed_message: number
  exported: string
  expired: string
  revoked: string
  bound: { api_key: string; key_id: string }
  task_id: string
  completed: string
  canceled: string
}
/** `full`: of a server whose quotas are used up. */
type Provocation = [args: Record<string, unknown>, as?: As & { full?: true }]

const badToken = (place: Place): Partial<Record<ErrorCode, Provocation>> => ({
  INVALID_TOKEN: [{}, { anonymous: true, headers: { authorization: 'Bearer None' } }],
  TOKEN_EXPIRED: [{}, { token: place.expired }],
  TOKEN_REVOKED: [{}, { token: place.revoked }]
})

/** Each tool's arguments that work; the provocations change them. */
const good = (place: Place): Record<string, Record<string, unknown>> => ({
  create_session: { purpose: 'p' },
  update_session: { session_id: place.session_id, purpose: 'q' },
  close_session: { session_id: place.closed },
  archive_session: { session_id: place.closed },
  delete_session: { session_id: place.doomed },
  delete_message: { message_id: place.doomed_message },
  import_session: { ndjson: place.exported },
  set_retention: { days: 36_500 },
  erase_agent: { agent_id: 'nobody' },
  add_message: { session_id: place.session_id, content: 'c' },
  add_messages: { session_id: place.session_id, messages: [{ content: 'c' }] },
  mark_read: { session_id: place.session_id },
  wait_for_messages: { session_id: place.session_id },
  set_message_visibility: { message_id: place.message_id, visibility: 'public' },
  ack_messages: { message_ids: [place.to_agent_1] },
  ask: { to: 'nobody', content: 'c', session_id: place.session_id, timeout_seconds: 0 },
  set_status: { status: 's' },
  wait_for_inbox: { timeout_seconds: 0 },
  set_memory: { key: 'k', value: 1 },
  delete_memory: { key: 'absent' },
  update_memory: { key: 'number', op: 'increment', value: 1 },
  batch_memory: { operations: [{ op: 'set', key: 'k', value: 1 }] },
  memory_history: { key: 'taken' },
  set_namespace: { namespace: 'of-agent-1', readers: [], writers: [] },
  create_task: { title: 't' },
  create_tasks: { tasks: [{ title: 't' }] },
  get_task: { task_id: place.task_id },
  renew_task: { task_id: place.completed, lease_token: 1 },
  complete_task: { task_id: place.completed, lease_token: 1 },
  fail_task: { task_id: place.completed, lease_token: 1, error: 'e' },
  release_task: { task_id: place.completed, lease_token: 1, note: 'n' },
  update_task: { task_id: place.completed, title: 'u' },
  cancel_task: { task_id: place.task_id },
  acquire_lease: { names: ['a-name'] },
  renew_lease: { leases: [{ name: 'held', token: 1 }] },
  release_lease: { leases: [{ name: 'held', token: 1 }] },
  create_api_key: { agent_id: 'a', agent_type: 't' },
  revoke_api_key: { key_id: place.bound.key_id }
})

const set = (more: Record<string, unknown>): Provocation => [
  { operations: [{ op: 'set', key: 'k', value: 1, ...more }] }
]
const message = (more: Record<string, unknown>) => ({ messages: [{ content: 'c', ...more }] })

function provocations(place: Place): Record<string, Partial<Record<ErrorCode, Provocation>>> {
  const { session_id, closed } = place
  const noSession: Provocation = [{ session_id: NO_SESSION }]
  const full: Provocation = [{}, { full: true }]
  const noTask: Provocation = [{ task_id: NO_TASK }]
  const time: Provocation = [{ start_time: 'yesterday' }]
  return {
    authenticate_agent: {
      INVALID_API_KEY: [{ agent_id: 'a', agent_type: 't', api_key: 'wrong' }, { anonymous: true }],
      PERMISSION_DENIED: [{ agent_id: 'a', agent_type: 't', api_key: place.bound.api_key }, { anonymous: true }],
      SESSION_NOT_FOUND: [
        { agent_id: 'a', agent_type: 't', api_key: API_KEY, sessions: [NO_SESSION] },
        { anonymous: true }
      ],
      INVALID_TTL: [{ agent_id: 'a', agent_type: 't', api_key: API_KEY, expires_in: -1 }, { anonymous: true }]
    },
    refresh_token: { ...badToken(place), AUTHENTICATION_REQUIRED: [{}, { anonymous: true }] },
    revoke_token: {
      ...badToken(place),
      AUTHENTICATION_REQUIRED: [{}, { anonymous: true }],
      PERMISSION_DENIED: [{ agent_id: 'somebody' }]
    },
    create_token: {
      ...badToken(place),
      AUTHENTICATION_REQUIRED: [{}, { anonymous: true }],
      PERMISSION_DENIED: [{ agent_id: 'another' }, { token: place.live }],
      SESSION_NOT_FOUND: [{ sessions: [NO_SESSION] }, { token: place.live }],
      INVALID_TTL: [{ expires_in: -1 }, { token: place.live }]
    },
    create_session: {
      INVALID_METADATA: [{ metadata: 'text' }],
      INVALID_KEY: [{ key: 'a\nb' }],
      QUOTA_EXCEEDED: full
    },
    import_session: { QUOTA_EXCEEDED: [{}, { full: true, admin: true }] },
    get_session: { SESSION_NOT_FOUND: noSession },
    update_session: {
      SESSION_NOT_FOUND: noSession,
      SESSION_CLOSED: [{ session_id: closed }],
      INVALID_METADATA: [{ metadata: [] }]
    },
    close_session: { SESSION_NOT_FOUND: noSession },
    archive_session: { SESSION_NOT_FOUND: noSession },
    delete_session: { SESSION_NOT_FOUND: noSession },
    export_session: { SESSION_NOT_FOUND: noSession },
    delete_message: { MESSAGE_NOT_FOUND: [{ message_id: NO_MESSAGE }] },
    get_inbox: { SESSION_NOT_FOUND: noSession },
    wait_for_inbox: { SESSION_NOT_FOUND: noSession },
    ack_messages: { MESSAGE_NOT_FOUND: [{ message_ids: [NO_MESSAGE] }] },
    get_receipts: { MESSAGE_NOT_FOUND: [{ message_id: NO_MESSAGE }] },
    ask: {
      SESSION_NOT_FOUND: noSession,
      SESSION_CLOSED: [{ session_id: closed }],
      QUOTA_EXCEEDED: full,
      CONTENT_TOO_LARGE: [{ content: 'x'.repeat(100_001) }]
    },
    wait_for_reply: { MESSAGE_NOT_FOUND: [{ message_id: NO_MESSAGE }] },
    set_status: { INVALID_TTL: [{ expires_in: 0 }] },
    add_message: {
      SESSION_NOT_FOUND: noSession,
      SESSION_CLOSED: [{ session_id: closed }],
      MESSAGE_NOT_FOUND: [{ parent_message_id: NO_MESSAGE }],
      INVALID_METADATA: [{ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i])) }],
      INVALID_VISIBILITY: [{ visibility: 'everyone' }],
      CONTENT_TOO_LARGE: [{ content: BIG }],
      QUOTA_EXCEEDED: full
    },
    add_messages: {
      SESSION_NOT_FOUND: noSession,
      SESSION_CLOSED: [{ session_id: closed }],
      MESSAGE_NOT_FOUND: [message({ parent_message_id: NO_MESSAGE })],
      INVALID_METADATA: [message({ metadata: 5 })],
      INVALID_VISIBILITY: [message({ visibility: 'everyone' })],
      CONTENT_TOO_LARGE: [message({ content: BIG })],
      QUOTA_EXCEEDED: full
    },
    get_messages: { SESSION_NOT_FOUND: noSession, INVALID_VISIBILITY: [{ session_id, visibility_filter: 'secret' }] },
    mark_read: { SESSION_NOT_FOUND: noSession },
    wait_for_messages: { SESSION_NOT_FOUND: noSession },
    set_message_visibility: {
      MESSAGE_NOT_FOUND: [{ message_id: NO_MESSAGE }],
      INVALID_VISIBILITY: [{ visibility: 'secret' }]
    },
    search_context: {
      SESSION_NOT_FOUND: [{ session_id: NO_SESSION, query: 'q' }],
      INVALID_METADATA: [{ query: 'q', metadata_filter: 'text' }],
      INVALID_DATETIME: [{ query: 'q', ...time[0] }]
    },
    list_sessions: { INVALID_METADATA: [{ metadata_filter: 'text' }] },
    search_by_sender: { SESSION_NOT_FOUND: [{ session_id: NO_SESSION, sender: 'a' }] },
    search_by_timerange: {
      SESSION_NOT_FOUND: [{ session_id: NO_SESSION, start_time: '2026-01-01', end_time: '2026-01-02' }],
      INVALID_DATETIME: [{ session_id, start_time: '2026-01-02', end_time: '2026-01-01' }]
    },
    set_memory: {
      SESSION_NOT_FOUND: noSession,
      SESSION_CLOSED: [{ session_id: closed }],
      KEY_EXISTS: [{ key: 'taken', overwrite: false }],
      VERSION_CONFLICT: [{ key: 'taken', if_version: 0 }],
      INVALID_KEY: [{ key: 'a\nb' }],
      INVALID_METADATA: [{ metadata: 'text' }],
      INVALID_TTL: [{ expires_in: 1.5 }],
      CONTENT_TOO_LARGE: [{ value: LARGE }],
      QUOTA_EXCEEDED: full
    },
    get_memory: {
      SESSION_NOT_FOUND: [{ key: 'k', session_id: NO_SESSION }],
      MEMORY_NOT_FOUND: [{ key: 'absent' }],
      INVALID_KEY: [{ key: ' ' }]
    },
    list_memory: { SESSION_NOT_FOUND: noSession },
    search_memory: { SESSION_NOT_FOUND: [{ session_id: NO_SESSION, query: 'q' }] },
    delete_memory: {
      SESSION_NOT_FOUND: noSession,
      VERSION_CONFLICT: [{ if_version: 1 }],
      INVALID_KEY: [{ key: 'x'.repeat(256) }]
    },
    update_memory: {
      SESSION_NOT_FOUND: noSession,
      SESSION_CLOSED: [{ session_id: closed }],
      VERSION_CONFLICT: [{ key: 'absent', if_version: 1 }],
      INVALID_KEY: [{ key: '' }],
      CONTENT_TOO_LARGE: [{ key: 'large', op: 'append', value: LARGE }],
      QUOTA_EXCEEDED: [{ key: 'one more' }, { full: true }]
    },
    batch_memory: {
      SESSION_NOT_FOUND: set({ session_id: NO_SESSION }),
      SESSION_CLOSED: set({ session_id: closed }),
      KEY_EXISTS: set({ key: 'taken', overwrite: false }),
      VERSION_CONFLICT: set({ key: 'taken', if_version: 0 }),
      INVALID_KEY: set({ key: 'a\nb' }),
      INVALID_METADATA: set({ metadata: 'text' }),
      INVALID_TTL: set({ expires_in: 1.5 }),
      CONTENT_TOO_LARGE: set({ value: LARGE }),
      QUOTA_EXCEEDED: [{ operations: [{ op: 'set', key: 'one more', value: 1 }] }, { full: true }]
    },
    memory_history: {
      SESSION_NOT_FOUND: noSession,
      MEMORY_NOT_FOUND: [{ key: 'absent' }],
      INVALID_KEY: [{ key: 'a\nb' }]
    },
    set_namespace: { QUOTA_EXCEEDED: [{ namespace: 'one-more' }, { full: true }] },
    get_usage_guidance: {
      ...badToken(place),
      INVALID_API_KEY: [{}, { anonymous: true, headers: { 'x-api-key': 'wrong', 'x-agent-id': 'a' } }]
    },
    create_task: {
      SESSION_NOT_FOUND: noSession,
      SESSION_CLOSED: [{ session_id: closed }],
      TASK_NOT_FOUND: [{ depends_on: [NO_TASK] }],
      CONFLICT: [{ depends_on: [place.canceled] }],
      INVALID_METADATA: [{ metadata: 'text' }],
      QUOTA_EXCEEDED: [{ session_id }, { full: true }]
    },
    create_tasks: {
      SESSION_NOT_FOUND: [{ tasks: [{ title: 't', session_id: NO_SESSION }] }],
      SESSION_CLOSED: [{ tasks: [{ title: 't', session_id: closed }] }],
      TASK_NOT_FOUND: [{ tasks: [{ title: 't', depends_on: [NO_TASK] }] }],
      CONFLICT: [{ tasks: [{ title: 't', depends_on: [place.canceled] }] }],
      INVALID_METADATA: [{ tasks: [{ title: 't', metadata: 'text' }] }],
      QUOTA_EXCEEDED: [{ tasks: [{ title: 't', session_id }] }, { full: true }]
    },
    list_tasks: { SESSION_NOT_FOUND: noSession },
    get_task: { TASK_NOT_FOUND: noTask },
    claim_task: { SESSION_NOT_FOUND: noSession, TASK_NOT_FOUND: noTask },
    renew_task: { TASK_NOT_FOUND: noTask, LEASE_LOST: [{}] },
    complete_task: {
      TASK_NOT_FOUND: noTask,
      // With the token that completed it, it is the same request again.
      LEASE_LOST: [{ lease_token: 999 }],
      CONTENT_TOO_LARGE: [{ result: 'x'.repeat(1024 * 1024) }]
    },
    fail_task: { TASK_NOT_FOUND: noTask, LEASE_LOST: [{}] },
    release_task: { TASK_NOT_FOUND: noTask, LEASE_LOST: [{}], CONFLICT: [{ lease_token: undefined }] },
    update_task: {
      TASK_NOT_FOUND: noTask,
      LEASE_LOST: [{ task_id: place.task_id, lease_token: 1 }],
      CONFLICT: [{}],
      INVALID_METADATA: [{ metadata: 'text' }]
    },
    cancel_task: { TASK_NOT_FOUND: noTask, CONFLICT: [{ task_id: place.completed }] },
    acquire_lease: { LEASE_HELD: [{ names: ['held'] }] },
    renew_lease: { LEASE_LOST: [{}] },
    create_api_key: {
      SESSION_NOT_FOUND: [{ sessions: [NO_SESSION] }, { admin: true }],
      INVALID_TTL: [{ expires_in: -1 }, { admin: true }]
    },
    revoke_api_key: { API_KEY_NOT_FOUND: [{ key_id: 'key_0000000000000000' }, { admin: true }] },
    get_audit_log: { INVALID_DATETIME: [time[0], { admin: true }] }
  }
}

test('every error that the tool reference lists can be met', async t => {
  const app = await startApp(t)
  const shortLived = await startApp(t, { JWT_EXPIRES_IN: '1' }, { url: app.url })
  const full = await startApp(
    t,
    { QUOTA_SESSIONS: '1', QUOTA_SESSION_MESSAGES: '1', QUOTA_MEMORY_ENTRIES: '1' },
    { url: app.url }
  )
  const agent = { agent_id: 'agent-1', agent_type: 'custom' }
  const expired = (await ok(shortLived, 'authenticate_agent', agent)).token as string
  const revoked = (await ok(app, 'authenticate_agent', agent)).token as string
  await ok(app, 'revoke_token', {}, { token: revoked })
  const session_id = await newSession(app)
  const closed = await newSession(app)
  await ok(app, 'update_session', { session_id: closed, is_active: false })
  const { message_id } = await ok(app, 'add_message', { session_id, content: 'c' })
  const to_agent_1 = (
    await ok(app, 'add_message', { session_id, content: 'c', to: ['agent-1'] }, { agent_id: 'another-agent' })
  ).message_id as number
  const doomed = await newSession(app)
  const { message_id: doomed_message } = await ok(app, 'add_message', { session_id, content: 'c' })
  const exported = (await ok(app, 'export_session', { session_id })).ndjson as string
  await ok(app, 'set_memory', { key: 'taken', value: 1 })
  const bound = await ok(app, 'create_api_key', { agent_id: 'another', agent_type: 't' }, { admin: true })
  const newTask = async () => (await ok(app, 'create_task', { title: 't' })).task.task_id as string
  const [task_id, completed, canceled] = [await newTask(), await newTask(), await newTask()]
  const { lease } = await ok(app, 'claim_task', { task_id: completed })
  await ok(app, 'complete_task', { task_id: completed, lease_token: lease.token })
  await ok(app, 'cancel_task', { task_id: canceled })
  await ok(app, 'acquire_lease', { names: ['held'], ttl_seconds: 600 })
  const place: Place = {
    task_id,
    completed,
    canceled,
    live: (await ok(app, 'authenticate_agent', agent)).token,
    session_id,
    closed,
    message_id,
    to_agent_1,
    doomed,
    doomed_message,
    exported,
    expired,
    revoked,
    bound
  }
  await new Promise(resolve => setTimeout(resolve, 1100))

  for (const tool of tools) {
    const cases = { ...provocations(place)[tool.name] }
    const listed = errorsOf(tool)
    const by = { admin: tool.permission === 'admin' }
    if (listed.includes('IDEMPOTENCY_CONFLICT')) {
      const idempotency_key = `first ${tool.name}`
      await ok(app, tool.name, { ...good(place)[tool.name], idempotency_key }, by)
      cases.IDEMPOTENCY_CONFLICT = [{ ...good(place)[tool.name], ...different[tool.name], idempotency_key }, by]
    }
    t.same(Object.keys(cases).sort(), [...listed].sort(), `${tool.name} lists what is provoked`)
    for (const [code, [args, as]] of Object.entries(cases)) {
      const { body } = await call(
        as?.full === true ? full : app,
        tool.name,
        { ...good(place)[tool.name], ...args },
        as ?? by
      )
      t.match(body, { success: false, code }, `${tool.name} → ${code}`)
    }
  }
})

/** Another request than `good`, under the same idempotency_key. */
const different: Record<string, Record<string, unknown>> = {
  create_session: { purpose: 'other' },
  create_task: { title: 'other' },
  create_tasks: { tasks: [{ title: 'other' }] },
  update_session: { purpose: 'other' },
  close_session: { session_id: NO_SESSION },
  archive_session: { session_id: NO_SESSION },
  delete_session: { session_id: NO_SESSION },
  delete_message: { message_id: NO_MESSAGE },
  import_session: { ndjson: 'other' },
  set_retention: { days: 0 },
  erase_agent: { agent_id: 'somebody' },
  add_message: { content: 'other' },
  add_messages: { messages: [{ content: 'other' }] },
  mark_read: { up_to_seq: 0 },
  set_message_visibility: { visibility: 'private' },
  set_memory: { value: 2 },
  ack_messages: { note: 'other' },
  ask: { content: 'other' },
  set_status: { status: 'other' },
  delete_memory: { key: 'other' },
  update_memory: { value: 2 },
  batch_memory: { operations: [{ op: 'set', key: 'other', value: 1 }] },
  set_namespace: { readers: ['*'] },
  revoke_api_key: { key_id: 'key_0000000000000000' }
}
