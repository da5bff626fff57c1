import { randomUUID } from 'node:crypto'
import { sealCursor } from '../../src/kernel/cursor.js'
import { type App } from '../../src/app.js'
import { type As, API_KEY, call, newSession, ok } from '../helper.js'

/** A valid call of a tool with every argument it takes, on rows made for it. */
export interface Sample {
  args: Record<string, unknown>
  /** Who calls; an ordinary agent with read and write if absent. */
  as?: As
  /** The argument that a call needs besides the required ones, where it needs one of several. */
  least?: string
  /** What takes its place where it is left out. */
  otherwise?: Record<string, unknown>
  /** Arguments that exclude one of `args`, for a call of their own. */
  instead?: Record<string, unknown>
}

/** Texts that must never be found in a log, an audit row or a metric. */
export const PRIVATE_TEXTS = {
  content: 'content-that-is-private',
  value: 'value-that-is-private',
  key: 'key-that-is-private',
  metadata: 'metadata-that-is-private',
  purpose: 'purpose-that-is-private'
}

const ADMIN: As = { admin: true, agent_id: 'an-admin' }
const metadata = { note: PRIVATE_TEXTS.metadata }

export async function token(
  app: App,
  agent_id: string,
  requested_permissions?: string[],
  agent_type = 'custom'
): Promise<string> {
  const { token } = await ok(
    app,
    'authenticate_agent',
    { agent_id, agent_type, ...(requested_permissions && { requested_permissions }) },
    { anonymous: true, headers: { 'x-api-key': API_KEY } }
  )
  return token as string
}

async function apiKey(app: App): Promise<{ key_id: string }> {
  return ok(app, 'create_api_key', { agent_id: 'research-*', agent_type: 'custom' }, ADMIN)
}

async function message(app: App, session_id: string): Promise<number> {
  return (await ok(app, 'add_message', { session_id, content: PRIVATE_TEXTS.content })).message_id as number
}

/** A message to agent-1. */
async function question(app: App, session_id: string): Promise<number> {
  const { message_id } = await ok(
    app,
    'add_message',
    { session_id, content: 'to you', to: ['agent-1'] },
    { agent_id: 'agent-2' }
  )
  return message_id as number
}

const answering = new WeakSet<App>()

/** Answers whatever is asked of `answerer`, until the app is closed. */
function answerAll(app: App): void {
  if (answering.has(app)) return
  answering.add(app)
  const as = { agent_id: 'answerer' }
  const answer = async () => {
    for (;;) {
      const { messages } = await ok(app, 'wait_for_inbox', {}, as)
      for (const { id, session_id } of messages) {
        await ok(app, 'add_message', { session_id, content: 'an answer', parent_message_id: id }, as)
        await ok(app, 'ack_messages', { message_ids: [id] }, as)
      }
    }
  }
  answer().catch(() => {
    answering.delete(app)
  })
}

export const samples: Record<string, (app: App) => Promise<Sample>> = {
  authenticate_agent: async app => ({
    args: {
      agent_id: 'agent-1',
      agent_type: 'custom',
      api_key: API_KEY,
      requested_permissions: ['read'],
      sessions: [await newSession(app)],
      expires_in: 1000,
      switch: false
    },
    as: { anonymous: true, headers: { 'x-api-key': API_KEY } }
  }),
  refresh_token: async app => ({
    args: { current_token: await token(app, 'agent-1') },
    as: { token: await token(app, 'agent-1') }
  }),
  revoke_token: async app => ({
    args: { token: await token(app, 'agent-1') },
    as: { token: await adminToken(app) },
    instead: { agent_id: 'agent-1' }
  }),
  create_token: async app => ({
    args: { agent_id: 'agent-1/helper', permissions: ['read'], sessions: [await newSession(app)], expires_in: 1000 },
    as: { token: await token(app, 'agent-1') }
  }),
  create_session: async () => ({
    args: {
      purpose: `${PRIVATE_TEXTS.purpose} ${randomUUID()}`,
      metadata,
      key: randomUUID(),
      idempotency_key: randomUUID()
    }
  }),
  get_session: async app => {
    const session_id = await newSession(app)
    await message(app, session_id)
    return { args: { session_id, message_limit: 5 } }
  },
  list_sessions: async () => ({
    args: {
      created_by: 'agent-1',
      active: true,
      archived: false,
      query: 'session',
      metadata_filter: { note: 'none' },
      limit: 5,
      cursor: sealCursor(
        ['list_sessions', 'agent-1', true, false, 'session', { note: 'none' }],
        ['2999-01-01T00:00:00.000Z', 'session_ffffffffffffffff']
      )
    }
  }),
  update_session: async app => ({
    args: {
      session_id: await newSession(app),
      purpose: PRIVATE_TEXTS.purpose,
      metadata,
      is_active: true,
      idempotency_key: randomUUID()
    },
    least: 'purpose',
    otherwise: { is_active: true }
  }),
  close_session: async app => ({ args: { session_id: await newSession(app), idempotency_key: randomUUID() } }),
  archive_session: async app => ({ args: { session_id: await newSession(app), idempotency_key: randomUUID() } }),
  delete_session: async app => ({ args: { session_id: await newSession(app), idempotency_key: randomUUID() } }),
  export_session: async app => {
    const session_id = await newSession(app)
    for (let i = 0; i < 3; i++) await message(app, session_id)
    return {
      args: { session_id, limit: 1, cursor: (await ok(app, 'export_session', { session_id, limit: 1 })).next_cursor }
    }
  },
  import_session: async app => {
    const { session_id } = await ok(app, 'create_session', { purpose: PRIVATE_TEXTS.purpose, metadata })
    await message(app, session_id)
    return {
      args: { ndjson: (await ok(app, 'export_session', { session_id })).ndjson, idempotency_key: randomUUID() },
      as: ADMIN
    }
  },
  get_retention: async () => ({ args: {}, as: ADMIN }),
  set_retention: async () => ({
    args: { days: 30_000 + Math.floor(Math.random() * 6000), use_server_default: false, idempotency_key: randomUUID() },
    as: ADMIN,
    least: 'days',
    otherwise: { use_server_default: true }
  }),
  erase_agent: async () => ({
    args: { agent_id: `an-agent-${randomUUID()}`, idempotency_key: randomUUID() },
    as: ADMIN
  }),
  delete_message: async app => ({
    args: { message_id: await message(app, await newSession(app)), idempotency_key: randomUUID() }
  }),
  add_message: async app => {
    const session_id = await newSession(app)
    return {
      args: {
        session_id,
        content: PRIVATE_TEXTS.content,
        visibility: 'public',
        to: ['agent-2', 'type:nobodys'],
        payload: { inner: PRIVATE_TEXTS.value },
        metadata,
        parent_message_id: await message(app, session_id),
        idempotency_key: randomUUID()
      }
    }
  },
  add_messages: async app => {
    const session_id = await newSession(app)
    return {
      args: {
        session_id,
        messages: [
          {
            content: PRIVATE_TEXTS.content,
            visibility: 'private',
            to: ['agent-2'],
            payload: [PRIVATE_TEXTS.value],
            metadata,
            parent_message_id: await message(app, session_id)
          }
        ],
        idempotency_key: randomUUID()
      }
    }
  },
  get_inbox: async app => {
    const [session_id, more] = [await newSession(app), { unread_only: true, unacked_only: true, limit: 1 }]
    for (let i = 0; i < 3; i++) await question(app, session_id)
    const { next_cursor } = await ok(app, 'get_inbox', { session_id, ...more })
    return { args: { session_id, ...more, mark_read: true, cursor: next_cursor } }
  },
  wait_for_inbox: async app => {
    const session_id = await newSession(app)
    await question(app, session_id)
    const more = { unread_only: true, unacked_only: true, limit: 1, mark_read: true, timeout_seconds: 1 }
    return { args: { session_id, ...more } }
  },
  ack_messages: async app => ({
    args: {
      message_ids: [await question(app, await newSession(app))],
      note: PRIVATE_TEXTS.content,
      idempotency_key: randomUUID()
    }
  }),
  get_receipts: async app => ({ args: { message_id: await message(app, await newSession(app)) } }),
  ask: async app => {
    answerAll(app)
    return {
      args: {
        to: 'answerer',
        content: PRIVATE_TEXTS.content,
        session_id: await newSession(app),
        payload: { inner: PRIVATE_TEXTS.value },
        timeout_seconds: 20,
        idempotency_key: randomUUID()
      }
    }
  },
  wait_for_reply: async app => {
    const session_id = await newSession(app)
    const { message_id } = await ok(app, 'add_message', { session_id, content: 'a question', to: ['agent-2'] })
    const answer = { session_id, content: 'an answer', parent_message_id: message_id }
    await ok(app, 'add_message', answer, { agent_id: 'agent-2' })
    return { args: { message_id, timeout_seconds: 1 } }
  },
  list_agents: async app => {
    const more = { query: 'agent', agent_type: 'custom', active_within_seconds: 600, limit: 1 }
    for (const agent_id of ['agent-1', 'agent-2']) await ok(app, 'set_status', { status: 'here' }, { agent_id })
    const { next_cursor } = await ok(app, 'list_agents', more)
    return { args: { ...more, cursor: next_cursor } }
  },
  set_status: async () => ({
    args: { status: `${PRIVATE_TEXTS.purpose} ${randomUUID()}`, expires_in: 60, idempotency_key: randomUUID() }
  }),
  get_messages: async app => {
    const session_id = await newSession(app)
    const parent_message_id = await message(app, session_id)
    await ok(app, 'add_message', { session_id, content: 'an answer', parent_message_id })
    return {
      args: {
        session_id,
        limit: 5,
        offset: 0,
        after_seq: 0,
        before_seq: 100,
        order: 'asc',
        visibility_filter: 'public',
        sender: 'agent-1',
        parent_message_id
      }
    }
  },
  mark_read: async app => {
    const session_id = await newSession(app)
    await message(app, session_id)
    return { args: { session_id, up_to_seq: 1, idempotency_key: randomUUID() } }
  },
  wait_for_messages: async app => {
    const session_id = await newSession(app)
    await ok(app, 'add_message', { session_id, content: '@agent-1: look' })
    return {
      args: { session_id, after_seq: 0, timeout_seconds: 1, limit: 5, sender: 'agent-1', mentions_only: true },
      least: 'after_seq',
      otherwise: { timeout_seconds: 0 }
    }
  },
  set_message_visibility: async app => ({
    args: {
      message_id: await message(app, await newSession(app)),
      visibility: 'private',
      idempotency_key: randomUUID()
    }
  }),
  search_context: async app => {
    const session_id = await newSession(app)
    await ok(app, 'add_message', { session_id, content: 'a needle in the hay', metadata })
    return {
      args: {
        session_id,
        query: 'needle',
        fuzzy_threshold: 60.5,
        limit: 5,
        search_metadata: true,
        search_scope: 'all',
        sender: 'agent-1',
        start_time: '2020-01-01',
        end_time: '2999-01-01',
        context: 1,
        max_tokens: 1000,
        explain: true,
        metadata_filter: metadata
      }
    }
  },
  search_by_sender: async app => {
    const session_id = await newSession(app)
    for (let i = 0; i < 2; i++) await message(app, session_id)
    const list = { session_id, sender: 'agent-1' }
    const { next_cursor } = await ok(app, 'search_by_sender', { ...list, limit: 1 })
    return { args: { ...list, limit: 5, cursor: next_cursor } }
  },
  search_by_timerange: async app => {
    const session_id = await newSession(app)
    for (let i = 0; i < 2; i++) await message(app, session_id)
    const list = { session_id, start_time: '2020-01-01', end_time: '2999-01-01' }
    const { next_cursor } = await ok(app, 'search_by_timerange', { ...list, limit: 1 })
    return { args: { ...list, limit: 5, cursor: next_cursor } }
  },
  set_memory: async app => ({
    args: {
      key: PRIVATE_TEXTS.key,
      value: PRIVATE_TEXTS.value,
      session_id: await newSession(app),
      if_version: 0,
      expires_in: 1000,
      metadata,
      overwrite: true,
      idempotency_key: randomUUID()
    },
    instead: { key: PRIVATE_TEXTS.key, value: PRIVATE_TEXTS.value, namespace: 'team/plans' }
  }),
  get_memory: async app => ({
    args: { key: PRIVATE_TEXTS.key, session_id: await remembered(app), touch: false },
    instead: { key: PRIVATE_TEXTS.key, namespace: 'team/plans' }
  }),
  search_memory: async app => ({
    args: { query: 'value', session_id: await remembered(app), fuzzy_threshold: 0, limit: 5 },
    instead: { query: 'value', namespace: 'team/plans' }
  }),
  update_memory: async app => ({
    args: {
      key: `${PRIVATE_TEXTS.key} list`,
      op: 'append',
      value: PRIVATE_TEXTS.value,
      session_id: await remembered(app),
      if_version: 0,
      idempotency_key: randomUUID()
    },
    instead: { key: PRIVATE_TEXTS.key, op: 'append', value: 1, namespace: 'team/lists' }
  }),
  batch_memory: async app => ({
    args: {
      operations: [
        { op: 'set', key: PRIVATE_TEXTS.key, value: PRIVATE_TEXTS.value, metadata, expires_in: 1000 },
        { op: 'get', key: PRIVATE_TEXTS.key, session_id: await remembered(app) },
        { op: 'list', prefix: 'key', limit: 5 },
        { op: 'delete', key: PRIVATE_TEXTS.key }
      ],
      atomic: true,
      idempotency_key: randomUUID()
    }
  }),
  memory_history: async app => ({
    args: { key: PRIVATE_TEXTS.key, session_id: await remembered(app), limit: 5 },
    instead: { key: PRIVATE_TEXTS.key, namespace: 'team/plans' }
  }),
  set_namespace: async () => ({
    args: {
      namespace: `team/${randomUUID()}`,
      readers: ['*'],
      writers: ['type:custom'],
      idempotency_key: randomUUID()
    }
  }),
  list_namespaces: async app => {
    await remembered(app)
    const list = { prefix: 'team', suffix: 's', depth: 2 }
    for (const namespace of ['team/plans', 'team/lists'])
      await ok(app, 'set_namespace', { namespace, readers: [], writers: [] })
    const { next_cursor } = await ok(app, 'list_namespaces', { ...list, limit: 1 })
    return { args: { ...list, limit: 5, cursor: next_cursor } }
  },
  list_memory: async app => {
    const list = { session_id: await remembered(app), prefix: 'key', filter: {}, order: 'key' }
    await ok(app, 'set_memory', { key: 'key of another', value: 1, session_id: list.session_id })
    const { next_cursor } = await ok(app, 'list_memory', { ...list, limit: 1 })
    return {
      args: { ...list, include_values: true, touch: false, limit: 5, cursor: next_cursor },
      instead: { namespace: 'team/plans' }
    }
  },
  delete_memory: async app => {
    const session_id = await remembered(app)
    const { version } = await ok(app, 'get_memory', { key: PRIVATE_TEXTS.key, session_id })
    return {
      args: { key: PRIVATE_TEXTS.key, session_id, if_version: version, idempotency_key: randomUUID() },
      least: 'key',
      otherwise: { prefix: 'no such key' },
      instead: { prefix: PRIVATE_TEXTS.key, namespace: 'team/plans' }
    }
  },
  get_usage_guidance: async () => ({ args: { guidance_type: 'troubleshooting' } }),
  create_api_key: async app => ({
    args: {
      agent_id: 'research-*',
      agent_type: 'custom',
      permissions: ['read'],
      sessions: [await newSession(app)],
      expires_in: 1000,
      workspace: 'default'
    },
    as: ADMIN
  }),
  list_workspaces: async app => {
    await ok(app, 'create_api_key', { agent_id: 'x', agent_type: 'x', workspace: `w-${randomUUID()}` }, ADMIN)
    const { next_cursor } = await ok(app, 'list_workspaces', { limit: 1 }, ADMIN)
    return { args: { limit: 5, cursor: next_cursor }, as: ADMIN }
  },
  list_api_keys: async app => {
    for (let i = 0; i < 2; i++) await apiKey(app)
    const list = { include_revoked: true, workspace: 'default' }
    const { next_cursor } = await ok(app, 'list_api_keys', { ...list, limit: 1 }, ADMIN)
    return { args: { ...list, limit: 5, cursor: next_cursor }, as: ADMIN }
  },
  revoke_api_key: async app => ({
    args: { key_id: (await apiKey(app)).key_id, workspace: 'default', idempotency_key: randomUUID() },
    as: ADMIN
  }),
  get_performance_metrics: async () => ({ args: {}, as: ADMIN }),
  get_server_health: async () => ({ args: { tool: 'add_message' }, as: ADMIN }),
  get_audit_log: async app => {
    const session_id = await newSession(app)
    for (const content of ['one', 'two']) await ok(app, 'add_message', { session_id, content })
    const list = {
      session_id,
      agent_id: 'agent-1',
      event_type: 'message_added',
      start_time: '2020-01-01',
      end_time: '2999-01-01'
    }
    const { next_cursor } = await ok(app, 'get_audit_log', { ...list, limit: 1 }, ADMIN)
    return { args: { ...list, limit: 5, cursor: next_cursor }, as: ADMIN }
  },
  create_task: async app => ({
    args: { ...(await draft(app)), depends_on: [await task(app)], idempotency_key: randomUUID() }
  }),
  create_tasks: async app => ({
    args: {
      tasks: [
        { ...(await draft(app)), ref: 'first' },
        { title: 'second', depends_on: ['first'] }
      ],
      idempotency_key: randomUUID()
    }
  }),
  list_tasks: async app => {
    const session_id = await newSession(app)
    for (let i = 0; i < 2; i++) await task(app, session_id)
    return {
      args: {
        state: 'submitted',
        ready: true,
        session_id,
        assignee: 'agent-1',
        created_by: 'agent-1',
        query: 'task',
        limit: 5,
        cursor: sealCursor(['list_tasks', 'submitted', true, session_id, 'agent-1', 'agent-1', 'task'], [1_000_000])
      }
    }
  },
  get_task: async app => ({ args: { task_id: await task(app) } }),
  claim_task: async app => {
    const session_id = await newSession(app)
    return { args: { task_id: await task(app, session_id), session_id, wait_seconds: 0.1 } }
  },
  renew_task: async app => ({ args: await held(app) }),
  complete_task: async app => ({ args: { ...(await held(app)), result: { inner: PRIVATE_TEXTS.value } } }),
  fail_task: async app => ({ args: { ...(await held(app)), error: PRIVATE_TEXTS.content, retry: true } }),
  release_task: async app => ({ args: { ...(await held(app)), note: PRIVATE_TEXTS.content } }),
  update_task: async app => ({
    args: {
      ...(await held(app)),
      title: PRIVATE_TEXTS.purpose,
      description: PRIVATE_TEXTS.content,
      priority: 3,
      metadata,
      state: 'input_required'
    },
    least: 'title',
    otherwise: { priority: 2 }
  }),
  cancel_task: async app => ({ args: { task_id: await task(app), reason: PRIVATE_TEXTS.content } }),
  acquire_lease: async () => ({
    args: { names: [randomUUID()], ttl_seconds: 60, wait_seconds: 0.1, purpose: PRIVATE_TEXTS.purpose }
  }),
  renew_lease: async app => ({ args: { leases: await leases(app), ttl_seconds: 60 } }),
  release_lease: async app => ({ args: { leases: await leases(app) } }),
  list_leases: async () => ({ args: { prefix: 'a', holder: 'agent-1', limit: 5 } }),
  verify_audit_log: async () => ({
    args: { limit: 1000, cursor: sealCursor(['verify_audit_log'], [0, 0]) },
    as: ADMIN
  })
}

async function draft(app: App) {
  return {
    title: PRIVATE_TEXTS.purpose,
    description: PRIVATE_TEXTS.content,
    session_id: await newSession(app),
    to: ['agent-1', 'type:custom'],
    priority: 1,
    max_attempts: 2,
    lease_seconds: 60,
    metadata
  }
}

async function task(app: App, session_id?: string): Promise<string> {
  const { task } = await ok(app, 'create_task', { title: 'a task', session_id: session_id ?? null })
  return task.task_id as string
}

/** A task that agent-1 holds. */
async function held(app: App) {
  const task_id = await task(app)
  const { lease } = await ok(app, 'claim_task', { task_id })
  return { task_id, lease_token: lease.token as number }
}

async function leases(app: App) {
  const { leases } = await ok(app, 'acquire_lease', { names: [randomUUID(), randomUUID()] })
  return leases.map(({ name, token }: { name: string; token: number }) => ({ name, token }))
}

/** In a session, globally and in a namespace, so that a call without the optional session_id finds it too. */
async function remembered(app: App): Promise<string> {
  const session_id = await newSession(app)
  for (const scope of [{}, { namespace: 'team/plans' }, { session_id }])
    await ok(app, 'set_memory', { key: PRIVATE_TEXTS.key, value: { inner: PRIVATE_TEXTS.value }, ...scope })
  return session_id
}

async function adminToken(app: App): Promise<string> {
  const { body } = await call(
    app,
    'authenticate_agent',
    { agent_id: 'an-admin', agent_type: 'custom', requested_permissions: ['read', 'write', 'admin'] },
    { ...ADMIN }
  )
  return body.token as string
}
