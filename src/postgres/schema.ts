import type { Visibility } from '../kernel/visibilities.js'
import type { ColumnType, Generated, Kysely } from 'kysely'
import type { Permission } from '../kernel/agent.js'
import type { TaskState } from '../kernel/task-states.js'

/** The tables, as Kysely reads and writes them. `migrations/` makes them. test/schema.snapshot.txt shows them. */
export interface Schema {
  sessions: {
    workspace: string
    id: string
    purpose: string
    metadata: Json
    created_by: string
    created_at: Stamp
    updated_at: Stamp
    is_active: Generated<boolean>
    /** Null: not archived. An archived session is closed. */
    archived_at: Stamp | null
    last_seq: Generated<number>
    public_count: Generated<number>
    last_message_at: Stamp | null
    /** Bytes of all that was ever written into the session. Deleting does not lower it. */
    content_bytes: Generated<number>
    /** The name by which agents agreed on it; null: it has none. */
    key: string | null
  }
  messages: {
    workspace: string
    id: Generated<number>
    session_id: string
    seq: number
    sender: string
    sender_type: string
    content: string
    visibility: Visibility
    metadata: Json
    parent_message_id: number | null
    timestamp: Stamp
    /** The transaction that wrote the row: a 64-bit number as text. The database sets it. */
    xact: Generated<string>
  }
  session_changes: {
    workspace: string
    session_id: string
    seq: number
    kind: 'session_updated' | 'visibility_changed' | 'message_deleted' | 'session_deleted' | 'task_changed'
    message_id: number | null
    from_visibility: Visibility | null
    to_visibility: Visibility | null
    changed_by: string
    /** The sender of a deleted message. */
    sender: string | null
    sender_type: string | null
    task_id: string | null
    changed_at: Stamp
    xact: Generated<string>
  }
  agent_memory: {
    workspace: string
    agent_id: string
    /** '' is the global scope, since in a unique key no null equals another; `/a/b/` is a namespace. */
    session_id: string
    key: string
    value: unknown
    metadata: Json
    /** The version of a value that nobody has written since `revision` came. */
    version: Generated<number>
    revision: Generated<number | null>
    value_size: number
    created_at: Stamp
    updated_at: Stamp
    /** Null: whose memory it is. */
    updated_by: string | null
    expires_at: Stamp | null
    /** Seconds after the writing; null: never, or written before this column came. */
    expires_in: number | null
  }
  memory_namespaces: {
    workspace: string
    /** With a slash before, between and after its parts. */
    path: string
    owner: string
    readers: string[]
    writers: string[]
    created_at: Stamp
    updated_at: Stamp
  }
  /** Triggers keep it. */
  memory_history: {
    workspace: string
    agent_id: string
    session_id: string
    key: string
    version: number
    value: unknown
    value_size: number
    changed_by: string
    changed_at: Stamp
  }
  tasks: {
    workspace: string
    id: string
    /** The order in which tasks were made. */
    number: Generated<number>
    /** '' if it belongs to no session. */
    session_id: string
    title: string
    description: string
    state: Generated<TaskState>
    addressees: string[]
    depends_on: string[]
    /** How many of the tasks that it depends on are not completed. */
    blocked: Generated<number>
    priority: number
    attempts: Generated<number>
    max_attempts: number
    lease_seconds: number
    /** Of the last claim. */
    lease_token: number | null
    /** Null: nobody holds the task. */
    lease_expires_at: Stamp | null
    created_by: string
    assignee: string | null
    result: unknown
    error: string | null
    note: string | null
    metadata: Json
    created_at: Stamp
    updated_at: Stamp
  }
  task_dependencies: { workspace: string; depends_on: string; task_id: string }
  task_history: {
    workspace: string
    task_id: string
    n: Generated<number>
    at: Stamp
    /** Null: no agent, but the end of a lease or of a task that this one depended on. */
    agent_id: string | null
    /** Null for the first. */
    from_state: TaskState | null
    to_state: TaskState
    note: string | null
  }
  leases: {
    workspace: string
    name: string
    holder: string
    token: number
    purpose: string | null
    acquired_at: Stamp
    expires_at: Stamp
  }
  audit_log: {
    id: Generated<number>
    workspace: string
    timestamp: Stamp
    event_type: string
    agent_id: string | null
    session_id: string | null
    action: string
    resource: string | null
    result: string
    request_id: string
    metadata: Json
  }
  audit_chain: { workspace: string; seq: number; audit_id: number; key_id: string; mac: Buffer }
  audit_heads: {
    workspace: string
    seq: number
    mac: Buffer
    drained_to: number
    signed_at: Stamp
    key_id: string
    signature: Buffer
  }
  audit_beginnings: {
    workspace: string
    seq: number
    mac: Buffer
    begun_at: Stamp
    key_id: string
    signature: Buffer
  }
  tokens: {
    jti: string
    workspace: string
    agent_id: string
    agent_type: string
    issued_at: Stamp
    expires_at: Stamp
    revoked_at: Stamp | null
    /** The token from which create_token made this one. */
    parent_jti: string | null
  }
  api_keys: {
    workspace: string
    key_id: string
    hash: Buffer
    /** An agent_id; with `*` at its end, the beginning of agent_ids. */
    agent_id: string
    agent_type: string
    permissions: Permission[]
    sessions: string[] | null
    created_at: Stamp
    created_by: string | null
    created_with: string | null
    expires_at: Stamp | null
    revoked_at: Stamp | null
  }
  mcp_sessions: {
    id_hash: Buffer
    workspace: string | null
    protocol_version: string
    client_name: string | null
    agent_id: string | null
    agent_type: string | null
    permissions: string[] | null
    token_jti: string | null
    token_expires_at: Stamp | null
    token_bounds: Json | null
    subscriptions: Json
    created_at: Stamp
    last_seen_at: Stamp
    opener: Buffer | null
  }
  idempotency_keys: {
    workspace: string
    agent_id: string
    key: string
    request_hash: Buffer
    answer: Json | null
    created_at: Stamp
  }
  search_words: { workspace: string; word: string; term: number | null }
  message_terms: {
    workspace: string
    message_id: number
    session_id: string
    sender: string
    sender_type: string
    visibility: Visibility
    timestamp: Stamp
    terms: number[]
    /** Both are null in rows that are to be made anew (migrations/0078-search-by-session.ts). */
    seq: number | null
    words: number[] | null
  }
  /** One row: the secret with which terms are hashed. */
  search_secret: { one: Generated<boolean>; secret: Buffer }
  search_pending: { workspace: string; session_id: string; message_id: number }
  agents: {
    workspace: string
    agent_id: string
    agent_type: string
    last_seen_at: Stamp
  }
  read_cursors: {
    workspace: string
    agent_id: string
    session_id: string
    last_read_seq: number
    updated_at: Stamp
  }
  rate_limits: {
    /** '' if the subject belongs to no workspace. */
    workspace: string
    kind: string
    subject: string
    ends_at: Stamp
    taken: number
    given: number
  }
  /** Triggers count these. */
  workspace_usage: { workspace: string; sessions: number }
  memory_usage: { workspace: string; agent_id: string; entries: number; bytes: number }
  /** Sessions whose row is deleted and whose messages the sweep has still to delete. */
  deleted_sessions: { workspace: string; session_id: string; deleted_at: Stamp }
  erased_agents: {
    workspace: string
    agent_id: string
    pseudonym: string
    up_to_message_id: number
    request_id: string
    messages_erased: Generated<number>
    erased_at: Stamp
    xact: Generated<string>
  }
  retention: { workspace: string; days: number; set_at: Stamp }
  audit_retention: { workspace: string; days: number; set_at: Stamp }
  session_presence: {
    workspace: string
    session_id: string
    agent_id: string
    agent_type: string
    last_seen_at: Stamp
  }
}

/**
 * Read as ISO-8601 text in UTC with milliseconds and Z (connect.ts makes it). Written as such a text, or by the
 * database's clock.
 */
type Stamp = ColumnType<string, string | undefined, string>
/** Read as a parsed object. Written as JSON text. */
type Json = ColumnType<Record<string, unknown>, string | undefined, string>

/** What SQL runs on: the pool, or a transaction. */
export type Db = Kysely<Schema>

declare module '../kernel/executor.js' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merges Kysely's members into the kernel's name
  interface Executor extends Kysely<Schema> {}
}
