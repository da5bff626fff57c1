import type { ColumnType, Generated, Kysely } from 'kysely'
import type { Visibility } from '../kernel/visibilities.js'
import type { AuditTables } from './tables/audit.js'
import type { CallerTables } from './tables/callers.js'
import type { Json, Stamp } from './tables/columns.js'
import type { LimitTables } from './tables/limits.js'
import type { TaskTables } from './tables/tasks.js'

/**
 * The tables, as Kysely reads and writes them: here what sessions, messages and memory are made of; the rest is in
 * tables/. `migrations/` makes them. test/schema.snapshot.txt shows them.
 */
export interface Schema extends AuditTables, CallerTables, LimitTables, TaskTables {
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
    /** Of a session of two agents alone: their names, sorted. */
    between_agents: string[] | null
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
    /** Agent_ids, and agent_types behind `type:`. */
    addressees: Generated<string[]>
    /** Read as the value itself, null if there is none. Written as JSON text. */
    payload: ColumnType<unknown, string | null | undefined, string | null>
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
    /** Of a deleted message. */
    addressees: string[] | null
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
    /** How often a value was written; its version where `revision` is null. */
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
  search_words: { workspace: string; word: string; term: number | null }
  message_terms: {
    workspace: string
    message_id: number
    session_id: string
    sender: string
    sender_type: string
    visibility: Visibility
    addressees: Generated<string[]>
    timestamp: Stamp
    terms: number[]
    /** Both are null in rows that are to be made anew (migrations/0078-search-by-session.ts). */
    seq: number | null
    words: number[] | null
  }
  /** One row: the secret with which terms are hashed. */
  search_secret: { one: Generated<boolean>; secret: Buffer }
  search_pending: { workspace: string; session_id: string; message_id: number }
  /** Agents that wait, as each replica has written it lately. */
  agent_waits: { workspace: string; agent_id: string; replica: string; until: Stamp }
  /** Whom each message is addressed to, or mentions. */
  inbox: {
    workspace: string
    message_id: number
    /** An agent_id, or `type:` and an agent_type. */
    name: string
    session_id: string
    seq: number
    /** Of the message. */
    sender: string
    /** Whether the message is direct now. */
    direct: boolean
  }
  /** What became of a message with one of those it is for. */
  receipts: {
    workspace: string
    message_id: number
    agent_id: string
    delivered_at: Stamp | null
    read_at: Stamp | null
    acked_at: Stamp | null
    note: string | null
    updated_at: Stamp
  }
  read_cursors: {
    workspace: string
    agent_id: string
    session_id: string
    last_read_seq: number
    updated_at: Stamp
  }
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
}

/** What SQL runs on: the pool, or a transaction. */
export type Db = Kysely<Schema>

declare module '../kernel/executor.js' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merges Kysely's members into the kernel's name
  interface Executor extends Kysely<Schema> {}
}
