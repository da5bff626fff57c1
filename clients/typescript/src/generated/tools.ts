// Generated from the catalogue by `npm run docs`; edit the tools in src/ instead.

export interface Message {
  id: number
  session_id: string
  /** Its place in the order of the session's changes */
  seq: number
  sender: string
  sender_type: string
  content: string
  visibility: 'public' | 'private' | 'agent_only' | 'direct' | 'admin_only'
  metadata: Record<string, unknown>
  parent_message_id: number | null
  timestamp: string
  /** Whom it is addressed to: agent_ids, or type:<agent_type>; if anybody */
  to?: string[]
  /** What it carries for programs, if anything */
  payload?: unknown
}

export interface SessionSummary {
  id: string
  /** The name by which create_session finds it; null: it has none */
  key: string | null
  purpose: string
  metadata: Record<string, unknown>
  created_by: string
  created_at: string
  updated_at: string
  is_active: boolean
  /** When it was archived; null: it is not */
  archived_at: string | null
  /** Messages you may see */
  message_count: number
  message_count_is_estimate?: boolean
  last_activity: string
  /**
   * How far you have read, as you last told mark_read; 0 if you never did. What follows it is got with after_seq
   */
  last_read_seq: number
  unread: {
    /** Messages by others that you may see and that came, or were shown to you, after last_read_seq */
    messages: number
    messages_is_estimate?: boolean
    /** Those of them that mention you: @ and your agent_id */
    mentions: number
    mentions_is_estimate?: boolean
  }
}

export interface Session {
  id: string
  /** The name by which create_session finds it; null: it has none */
  key: string | null
  purpose: string
  metadata: Record<string, unknown>
  created_by: string
  created_at: string
  updated_at: string
  is_active: boolean
  /** When it was archived; null: it is not */
  archived_at: string | null
  /** Messages you may see */
  message_count: number
  message_count_is_estimate?: boolean
  last_activity: string
  /**
   * How far you have read, as you last told mark_read; 0 if you never did. What follows it is got with after_seq
   */
  last_read_seq: number
  unread: {
    /** Messages by others that you may see and that came, or were shown to you, after last_read_seq */
    messages: number
    messages_is_estimate?: boolean
    /** Those of them that mention you: @ and your agent_id */
    mentions: number
    mentions_is_estimate?: boolean
  }
  /** Senders of messages you may see */
  participants: string[]
  /**
   * Agents that called something about the session within 5 minutes, the last one first, you among them; at most
   * 100
   */
  present: Array<{
    agent_id: string
    agent_type: string
    last_seen_at: string
  }>
}

export interface InboxMessage {
  id: number
  session_id: string
  /** Its place in the order of the session's changes */
  seq: number
  sender: string
  sender_type: string
  content: string
  visibility: 'public' | 'private' | 'agent_only' | 'direct' | 'admin_only'
  metadata: Record<string, unknown>
  parent_message_id: number | null
  timestamp: string
  /** Whom it is addressed to: agent_ids, or type:<agent_type>; if anybody */
  to?: string[]
  /** What it carries for programs, if anything */
  payload?: unknown
  /** Whether you have marked it as read */
  read: boolean
  /** Whether you have acknowledged it */
  acked: boolean
}

export interface Task {
  task_id: string
  title: string
  description: string
  state: 'submitted' | 'working' | 'input_required' | 'completed' | 'failed' | 'canceled'
  session_id: string | null
  to: string[]
  depends_on: string[]
  priority: number
  /** How often it has failed, or its lease has ended */
  attempts: number
  max_attempts: number
  lease_seconds: number
  created_by: string
  /** Who holds it, or held it last */
  assignee: string | null
  /** What complete_task brought; null until then */
  result: unknown
  /** Why it failed the last time */
  error: string | null
  /** What the last one who released it wants the next one to know */
  note: string | null
  metadata: Record<string, unknown>
  created_at: string
  updated_at: string
}

export interface TaskLease {
  /** Proves that you hold the task; grows with every claim */
  token: number
  /** When the task goes back, by the clock of the database */
  expires_at: string
}

/** What `authenticate_agent` takes. */
export interface AuthenticateAgentInput {
  /** Your name. A string of 1 to 100 characters, without control characters and without space around it. */
  agent_id: string
  /**
   * Such as claude or reviewer. A string of 1 to 50 characters, without control characters and without space around
   * it.
   */
  agent_type: string
  /** Your API key, unless X-API-Key has it. A string of at most 1000 characters. */
  api_key?: string | undefined
  /** Of read, write, admin. An array of 0 to 20 items. Default: `["read","write"]`. */
  requested_permissions?: string[] | undefined
  /** The only sessions it is for. An array of 1 to 100 items. */
  sessions?: string[] | undefined
  /** Seconds; 0: as long as it may. A whole number from 0 to 31536000. Default: `0`. */
  expires_in?: number | undefined
  /** MCP: be another agent than the connection. True or false. Default: `false`. */
  switch?: boolean | undefined
}

/** What `authenticate_agent` answers. */
export interface AuthenticateAgentOutput {
  token: string
  token_type: 'Bearer'
  agent_id: string
  agent_type: string
  permissions: string[]
  /** The only sessions it may see and write in; null: all */
  sessions: string[] | null
  issued_at: string
  expires_at: string
  /** Seconds until it expires */
  expires_in: number
}

/** What `refresh_token` takes. */
export interface RefreshTokenInput {
  /** Left out: your own. A token, at most 16384 characters. */
  current_token?: string | undefined
}

/** What `refresh_token` answers. */
export interface RefreshTokenOutput {
  token: string
  token_type: 'Bearer'
  agent_id: string
  agent_type: string
  permissions: string[]
  /** The only sessions it may see and write in; null: all */
  sessions: string[] | null
  issued_at: string
  expires_at: string
  /** Seconds until it expires */
  expires_in: number
}

/** What `revoke_token` takes. */
export interface RevokeTokenInput {
  /** Left out: your own. A token, at most 16384 characters. */
  token?: string | undefined
  /**
   * Whose tokens; admins only. A string of 1 to 100 characters, without control characters and without space around
   * it.
   */
  agent_id?: string | undefined
}

/** What `revoke_token` answers. */
export interface RevokeTokenOutput {
  /** How many tokens were revoked; with agent_id, those of an outside issuer are not counted */
  revoked: number
}

/** What `create_token` takes. */
export interface CreateTokenInput {
  /**
   * Yours, yours/ and a name, or another name of your key. A string of 1 to 100 characters, without control
   * characters and without space around it.
   */
  agent_id?: string | undefined
  /** What it may do. An array of 1 to 3 items. */
  permissions?: Array<'read' | 'write' | 'admin'> | undefined
  /** The only sessions it is for. An array of 1 to 100 items. */
  sessions?: string[] | undefined
  /** Seconds; 0: as long as yours. A whole number from 0 to 31536000. Default: `0`. */
  expires_in?: number | undefined
}

/** What `create_token` answers. */
export interface CreateTokenOutput {
  token: string
  token_type: 'Bearer'
  agent_id: string
  agent_type: string
  permissions: string[]
  /** The only sessions it may see and write in; null: all */
  sessions: string[] | null
  issued_at: string
  expires_at: string
  /** Seconds until it expires */
  expires_in: number
}

/** What `create_api_key` takes. */
export interface CreateApiKeyInput {
  /**
   * Whom it is for: an agent_id, or the beginning of several and a *, such as research-*. A string of 1 to 100
   * characters, without control characters and without space around it.
   */
  agent_id: string
  /**
   * The type of these agents. A string of 1 to 50 characters, without control characters and without space around
   * it.
   */
  agent_type: string
  /** What they may do. An array of 1 to 3 items. Default: `["read","write"]`. */
  permissions?: Array<'read' | 'write' | 'admin'> | undefined
  /** The only sessions they may see and write in; left out: all you may. An array of 1 to 100 items. */
  sessions?: string[] | undefined
  /** Seconds until it ends; 0: as late as yours does, or never. A whole number from 0 to 31536000. Default: `0`. */
  expires_in?: number | undefined
  /**
   * Another workspace than your own: for the operator alone, who has the shared ADMIN_API_KEY. One that is new
   * begins with its first key. A name of 1 to 63 small letters, digits, dots, dashes and underscores, with a letter
   * or digit first.
   */
  workspace?: string | undefined
}

/** What `create_api_key` answers. */
export interface CreateApiKeyOutput {
  /** The key itself, shown this once */
  api_key: string
  key_id: string
  workspace: string
  /** The agent_id it is for; with * at its end, what agent_ids begin with */
  agent_id: string
  agent_type: string
  permissions: string[]
  /** The only sessions it may see and write in; null: all */
  sessions: string[] | null
  created_at: string
  expires_at: string | null
}

/** What `list_api_keys` takes. */
export interface ListApiKeysInput {
  /** true: also those that were revoked or have expired. True or false. Default: `false`. */
  include_revoked?: boolean | undefined
  /**
   * Another workspace than your own: for the operator alone, who has the shared ADMIN_API_KEY. A name of 1 to 63
   * small letters, digits, dots, dashes and underscores, with a letter or digit first.
   */
  workspace?: string | undefined
  /** How many. A whole number from 1 to 200. Default: `50`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `list_api_keys` answers. */
export interface ListApiKeysOutput {
  keys: Array<{
    key_id: string
    workspace: string
    /** The agent_id it is for; with * at its end, what agent_ids begin with */
    agent_id: string
    agent_type: string
    permissions: string[]
    /** The only sessions it may see and write in; null: all */
    sessions: string[] | null
    created_at: string
    expires_at: string | null
    created_by: string | null
    created_with: string | null
    revoked_at: string | null
  }>
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `revoke_api_key` takes. */
export interface RevokeApiKeyInput {
  /** The key, as create_api_key or list_api_keys named it. A key_id as create_api_key returned it. */
  key_id: string
  /**
   * Another workspace than your own: for the operator alone, who has the shared ADMIN_API_KEY. A name of 1 to 63
   * small letters, digits, dots, dashes and underscores, with a letter or digit first.
   */
  workspace?: string | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `revoke_api_key` answers. */
export interface RevokeApiKeyOutput {
  key_id: string
  /** false: it had been revoked before */
  revoked: boolean
}

/** What `create_session` takes. */
export interface CreateSessionInput {
  /** What it is for, in a sentence. A string of 1 to 1000 characters after trimming. */
  purpose: string
  /**
   * Anything to filter and search by. An object of at most 50 keys (each at most 100 characters) and 10000
   * characters as JSON.
   */
  metadata?: Record<string, unknown> | undefined
  /** A unique name for it. A string of 1 to 255 characters after trimming, all of which are seen. */
  key?: string | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `create_session` answers. */
export interface CreateSessionOutput {
  session_id: string
  purpose: string
  created_by: string
  created_at: string
  metadata: Record<string, unknown>
  key: string | null
  /** false: it was there already, and is as it was */
  created: boolean
  is_active: boolean
}

/** What `get_session` takes. */
export interface GetSessionInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** How many. A whole number from 0 to 200. Default: `50`. */
  message_limit?: number | undefined
}

/** What `get_session` answers. */
export interface GetSessionOutput {
  session: Session
  messages: Message[]
  /** The same as session.message_count */
  message_count: number
  message_count_is_estimate?: boolean
}

/** What `list_sessions` takes. */
export interface ListSessionsInput {
  /** Who opened it. A string of 1 to 100 characters, without control characters and without space around it. */
  created_by?: string | undefined
  /** true: open ones; false: closed ones. True or false. */
  active?: boolean | undefined
  /** true: only archived ones. True or false. Default: `false`. */
  archived?: boolean | undefined
  /** What its purpose is about. A string of at most 500 characters. */
  query?: string | undefined
  /**
   * What its metadata contains. An object of at most 50 keys (each at most 100 characters) and 10000 characters as
   * JSON.
   */
  metadata_filter?: Record<string, unknown> | undefined
  /** How many. A whole number from 1 to 200. Default: `50`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `list_sessions` answers. */
export interface ListSessionsOutput {
  sessions: SessionSummary[]
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `update_session` takes. */
export interface UpdateSessionInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** The new purpose. A string of 1 to 1000 characters after trimming. */
  purpose?: string | undefined
  /**
   * The new metadata, in place of all of the old. An object of at most 50 keys (each at most 100 characters) and
   * 10000 characters as JSON.
   */
  metadata?: Record<string, unknown> | undefined
  /** false closes the session, true reopens it. True or false. */
  is_active?: boolean | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `update_session` answers. */
export interface UpdateSessionOutput {
  session: Session
}

/** What `close_session` takes. */
export interface CloseSessionInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `close_session` answers. */
export interface CloseSessionOutput {
  session: Session
}

/** What `archive_session` takes. */
export interface ArchiveSessionInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `archive_session` answers. */
export interface ArchiveSessionOutput {
  session: Session
}

/** What `add_message` takes. */
export interface AddMessageInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** The text. A string of 1 to 100000 characters, or an empty one with a payload. */
  content: string
  /** Who may read it. One of public, private, agent_only, direct, admin_only. Default: `"public"`. */
  visibility?: 'public' | 'private' | 'agent_only' | 'direct' | 'admin_only' | undefined
  /** Whose inboxes it is for: agent_ids, type:<agent_type>. An array of 1 to 50 items. */
  to?: string[] | undefined
  /** Any JSON value, for programs. Any JSON value of at most 1048576 bytes. */
  payload?: unknown
  /**
   * Anything to filter and search by. An object of at most 50 keys (each at most 100 characters) and 10000
   * characters as JSON.
   */
  metadata?: Record<string, unknown> | undefined
  /** The message it answers. A whole number from 1 to 9007199254740991. */
  parent_message_id?: number | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `add_message` answers. */
export interface AddMessageOutput {
  message_id: number
  seq: number
  timestamp: string
  session_id: string
  /** Whom the messages are addressed to */
  addressed?: Array<{
    /** As in to */
    agent_id: string
    /** Whether such an agent has called in the last 30 days */
    known: boolean
    last_seen_at: string | null
    /** Whether it waits for messages, tasks or the like now */
    waiting: boolean
  }>
  /** The agents that the text mentions, by @ and name */
  mentions?: string[]
  /** Names after an @ that no agent of the workspace has */
  unresolved_mentions?: string[]
  /** What the sender should think of */
  warnings?: string[]
}

/** What `add_messages` takes. */
export interface AddMessagesInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** The messages, each as for add_message. An array of 1 to 100 items. */
  messages: Array<{
    /** The text. A string of 1 to 100000 characters, or an empty one with a payload. */
    content: string
    /** Who may read it. One of public, private, agent_only, direct, admin_only. Default: `"public"`. */
    visibility?: 'public' | 'private' | 'agent_only' | 'direct' | 'admin_only' | undefined
    /** Whose inboxes it is for: agent_ids, type:<agent_type>. An array of 1 to 50 items. */
    to?: string[] | undefined
    /** Any JSON value, for programs. Any JSON value of at most 1048576 bytes. */
    payload?: unknown
    /**
     * Anything to filter and search by. An object of at most 50 keys (each at most 100 characters) and 10000
     * characters as JSON.
     */
    metadata?: Record<string, unknown> | undefined
    /** The message it answers. A whole number from 1 to 9007199254740991. */
    parent_message_id?: number | undefined
  }>
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `add_messages` answers. */
export interface AddMessagesOutput {
  message_ids: number[]
  count: number
  /** Whom the messages are addressed to */
  addressed?: Array<{
    /** As in to */
    agent_id: string
    /** Whether such an agent has called in the last 30 days */
    known: boolean
    last_seen_at: string | null
    /** Whether it waits for messages, tasks or the like now */
    waiting: boolean
  }>
  /** The agents that the text mentions, by @ and name */
  mentions?: string[]
  /** Names after an @ that no agent of the workspace has */
  unresolved_mentions?: string[]
  /** What the sender should think of */
  warnings?: string[]
}

/** What `get_messages` takes. */
export interface GetMessagesInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** How many. A whole number from 1 to 1000. Default: `50`. */
  limit?: number | undefined
  /** How many to skip. A whole number from 0 to 9007199254740991. Default: `0`. */
  offset?: number | undefined
  /** What became visible to you after this seq; oldest first. A whole number from 0 to 9007199254740991. */
  after_seq?: number | undefined
  /** Only before this seq. A whole number from 0 to 9007199254740991. */
  before_seq?: number | undefined
  /** asc: from the oldest; desc: from the newest. One of asc, desc. */
  order?: 'asc' | 'desc' | undefined
  /** Only this visibility. One of public, private, agent_only, direct, admin_only. */
  visibility_filter?: 'public' | 'private' | 'agent_only' | 'direct' | 'admin_only' | undefined
  /**
   * Only of this agent. A string of 1 to 100 characters, without control characters and without space around it.
   */
  sender?: string | undefined
  /** Only answers to this one. A whole number from 1 to 9007199254740991. */
  parent_message_id?: number | undefined
}

/** What `get_messages` answers. */
export interface GetMessagesOutput {
  messages: Message[]
  /** Messages in this answer */
  count: number
  /** Messages that match sender, visibility and parent, in the whole session */
  total_count: number
  total_count_is_estimate?: boolean
  has_more: boolean
  /** The next after_seq: the highest seq this answer has taken account of */
  last_seq: number
}

/** What `set_message_visibility` takes. */
export interface SetMessageVisibilityInput {
  /** The message. A whole number from 1 to 9007199254740991. */
  message_id: number
  /** Who may see it from now on. One of public, private, agent_only, direct, admin_only. */
  visibility: 'public' | 'private' | 'agent_only' | 'direct' | 'admin_only'
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `set_message_visibility` answers. */
export interface SetMessageVisibilityOutput {
  message: Message
}

/** What `delete_message` takes. */
export interface DeleteMessageInput {
  /** The message. A whole number from 1 to 9007199254740991. */
  message_id: number
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `delete_message` answers. */
export interface DeleteMessageOutput {
  /** true */
  deleted: boolean
  message_id: number
  session_id: string
  /** The place of the deletion in the order of the session's changes */
  seq: number
}

/** What `wait_for_messages` takes. */
export interface WaitForMessagesInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** As for get_messages; left out: from now on. A whole number from 0 to 9007199254740991. */
  after_seq?: number | undefined
  /** Seconds, at most 25 over MCP. A number from 0 to 60. Default: `4`. */
  timeout_seconds?: number | undefined
  /** How many. A whole number from 1 to 1000. Default: `50`. */
  limit?: number | undefined
  /**
   * Only of this agent. A string of 1 to 100 characters, without control characters and without space around it.
   */
  sender?: string | undefined
  /** Only what mentions you by @. True or false. Default: `false`. */
  mentions_only?: boolean | undefined
}

/** What `wait_for_messages` answers. */
export interface WaitForMessagesOutput {
  messages: Message[]
  /**
   * Tasks of the session that have changed, as they are now; absent if none has, with sender, and with
   * mentions_only. get_task has the rest
   */
  tasks?: Array<{
    task_id: string
    title: string
    state: 'submitted' | 'working' | 'input_required' | 'completed' | 'failed' | 'canceled'
    session_id: string | null
    to: string[]
    created_by: string
    /** Who holds it, or held it last */
    assignee: string | null
    priority: number
    /** How often it has failed, or its lease has ended */
    attempts: number
    updated_at: string
  }>
  /** Messages in this answer */
  count: number
  /** The next after_seq: the highest seq this answer has taken account of */
  last_seq: number
  /**
   * true: nothing came before the time was up, or before the server stopped. Call again with last_seq as after_seq
   */
  timed_out: boolean
  /** Whether there are more than limit; they come with the next call, at once */
  has_more: boolean
  /** false: the session is closed, and nobody can write in it unless it is reopened */
  is_active: boolean
}

/** What `mark_read` takes. */
export interface MarkReadInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /**
   * The last seq you have read, at most the session's last; absent: all there is now. A whole number from 0 to
   * 9007199254740991.
   */
  up_to_seq?: number | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `mark_read` answers. */
export interface MarkReadOutput {
  session_id: string
  /**
   * How far you have read, as you last told mark_read; 0 if you never did. What follows it is got with after_seq
   */
  last_read_seq: number
  unread: {
    /** Messages by others that you may see and that came, or were shown to you, after last_read_seq */
    messages: number
    messages_is_estimate?: boolean
    /** Those of them that mention you: @ and your agent_id */
    mentions: number
    mentions_is_estimate?: boolean
  }
}

/** What `get_inbox` takes. */
export interface GetInboxInput {
  /** Only unread ones. True or false. Default: `false`. */
  unread_only?: boolean | undefined
  /** Only unacknowledged ones. True or false. Default: `false`. */
  unacked_only?: boolean | undefined
  /** A session; without: all. A session_id as create_session returned it. */
  session_id?: string | undefined
  /** How many. A whole number from 1 to 200. Default: `20`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
  /** Mark them as read. True or false. Default: `false`. */
  mark_read?: boolean | undefined
}

/** What `get_inbox` answers. */
export interface GetInboxOutput {
  messages: InboxMessage[]
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `wait_for_inbox` takes. */
export interface WaitForInboxInput {
  /** Only unread ones. True or false. Default: `false`. */
  unread_only?: boolean | undefined
  /** false: acknowledged ones too. True or false. Default: `true`. */
  unacked_only?: boolean | undefined
  /** A session; without: all. A session_id as create_session returned it. */
  session_id?: string | undefined
  /** How many. A whole number from 1 to 200. Default: `20`. */
  limit?: number | undefined
  /** Mark them as read. True or false. Default: `false`. */
  mark_read?: boolean | undefined
  /** Seconds, at most 25 over MCP. A number from 0 to 55. Default: `20`. */
  timeout_seconds?: number | undefined
}

/** What `wait_for_inbox` answers. */
export interface WaitForInboxOutput {
  messages: InboxMessage[]
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
  /** true: nothing came before the time was up: call again. false without messages: the session is closed */
  timed_out: boolean
}

/** What `ack_messages` takes. */
export interface AckMessagesInput {
  /** Messages in your inbox. An array of 1 to 100 items. */
  message_ids: number[]
  /** A word to the senders. A string of 1 to 1000 characters. */
  note?: string | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `ack_messages` answers. */
export interface AckMessagesOutput {
  /** Messages that are acknowledged now */
  count: number
}

/** What `get_receipts` takes. */
export interface GetReceiptsInput {
  /** The message. A whole number from 1 to 9007199254740991. */
  message_id: number
}

/** What `get_receipts` answers. */
export interface GetReceiptsOutput {
  receipts: Array<{
    agent_id: string
    /** When the message first went to it */
    delivered_at: string | null
    /** When it marked the message as read */
    read_at: string | null
    acked_at: string | null
    note: string | null
    /** Its answers, by their ids */
    reply_ids: number[]
  }>
}

/** What `ask` takes. */
export interface AskInput {
  /** An agent_id or type:<agent_type>. An agent_id, or type: and an agent_type, of at most 100 characters. */
  to: string
  /** The text. A string of 1 to 100000 characters, or an empty one with a payload. */
  content: string
  /** A session; without: one of you two alone. A session_id as create_session returned it. */
  session_id?: string | undefined
  /** Any JSON value, for programs. Any JSON value of at most 1048576 bytes. */
  payload?: unknown
  /** Seconds, at most 25 over MCP. A number from 0 to 55. Default: `20`. */
  timeout_seconds?: number | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `ask` answers. */
export interface AskOutput {
  message_id: number
  session_id: string
  /** The first answer; null if there is none yet */
  reply: Message | null
  /** true: no answer came in time: wait_for_reply goes on. false without a reply: the session is closed */
  timed_out: boolean
  /** Whom the messages are addressed to */
  addressed?: Array<{
    /** As in to */
    agent_id: string
    /** Whether such an agent has called in the last 30 days */
    known: boolean
    last_seen_at: string | null
    /** Whether it waits for messages, tasks or the like now */
    waiting: boolean
  }>
  /** The agents that the text mentions, by @ and name */
  mentions?: string[]
  /** Names after an @ that no agent of the workspace has */
  unresolved_mentions?: string[]
  /** What the sender should think of */
  warnings?: string[]
}

/** What `wait_for_reply` takes. */
export interface WaitForReplyInput {
  /** The message. A whole number from 1 to 9007199254740991. */
  message_id: number
  /** Seconds, at most 25 over MCP. A number from 0 to 55. Default: `20`. */
  timeout_seconds?: number | undefined
}

/** What `wait_for_reply` answers. */
export interface WaitForReplyOutput {
  message_id: number
  /** The first answer; null if there is none yet */
  reply: Message | null
  /** true: no answer came in time: wait_for_reply goes on. false without a reply: the session is closed */
  timed_out: boolean
}

/** What `list_agents` takes. */
export interface ListAgentsInput {
  /** Text in agent_id or status. A string of 1 to 200 characters. */
  query?: string | undefined
  /** Only this type. A string of 1 to 50 characters, without control characters and without space around it. */
  agent_type?: string | undefined
  /** Who called within so many seconds. A whole number from 1 to 2592000. */
  active_within_seconds?: number | undefined
  /** How many. A whole number from 1 to 200. Default: `50`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `list_agents` answers. */
export interface ListAgentsOutput {
  agents: Array<{
    agent_id: string
    agent_type: string
    /** When it last called; written at most every 30 seconds */
    last_seen_at: string
    /** Whether a call of it waits now */
    waiting: boolean
    /** What it says of itself with set_status */
    status: string | null
    /** Messages to it that it has not acknowledged and that you may see; counted up to 100 */
    inbox: number
  }>
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `set_status` takes. */
export interface SetStatusInput {
  /** What you do; empty: nothing. A string of at most 200 characters. */
  status: string
  /** Seconds for which it holds. A whole number from 1 to 2592000. Default: `3600`. */
  expires_in?: number | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `set_status` answers. */
export interface SetStatusOutput {
  agent_id: string
  status: string
  expires_at: string
}

/** What `search_context` takes. */
export interface SearchContextInput {
  /** A session; without: all not archived. A session_id as create_session returned it. */
  session_id?: string | undefined
  /** What to look for. A string of 0 to 500 characters. */
  query: string
  /** Least score; 100: exact matches. A number from 0 to 100. Default: `60`. */
  fuzzy_threshold?: number | undefined
  /** How many. A whole number from 1 to 100. Default: `10`. */
  limit?: number | undefined
  /** Whether metadata counts. True or false. Default: `true`. */
  search_metadata?: boolean | undefined
  /** Which of them. One of all, public, private. Default: `"all"`. */
  search_scope?: 'all' | 'public' | 'private' | undefined
  /**
   * Only of this agent. A string of 1 to 100 characters, without control characters and without space around it.
   */
  sender?: string | undefined
  /** From then on: ISO-8601. An ISO-8601 date (2026-01-31) or date-time (2026-01-31T09:30:00Z). */
  start_time?: string | undefined
  /** Up to then: ISO-8601. An ISO-8601 date (2026-01-31) or date-time (2026-01-31T09:30:00Z). */
  end_time?: string | undefined
  /**
   * What the metadata contains. An object of at most 50 keys (each at most 100 characters) and 10000 characters as
   * JSON.
   */
  metadata_filter?: Record<string, unknown> | undefined
  /** Messages around each result. A number from 0 to 5. Default: `0`. */
  context?: number | undefined
  /** About how many tokens at most. A number from 1 to 1000000. */
  max_tokens?: number | undefined
  /** Say which words counted. True or false. Default: `false`. */
  explain?: boolean | undefined
}

/** What `search_context` answers. */
export interface SearchContextOutput {
  results: Array<{
    message: Message
    /** 0 to 100; 100 is an exact match */
    score: number
    /** The part of the content around the match */
    match_preview: string
    relevance: 'high' | 'medium' | 'low'
    /** With context: what came before it, oldest first */
    before?: Message[]
    /** With context: what came after it, oldest first */
    after?: Message[]
    /** With explain: the words of the query */
    terms?: Array<{
      term: string
      /** How much the word counts: the rarer, the more */
      weight: number
      /** How well it stands in the message, 0 to 1 */
      met: number
    }>
  }>
  query: string
  threshold: number
  search_scope: string
  /** How many results */
  message_count: number
  /**
   * Whether something may have been left out: too much met the query or is still to be indexed, or it took too long
   */
  partial: boolean
  /** With max_tokens: whether results were left out for it */
  truncated?: boolean
  /** Whether an answer has no room for the other results */
  has_more?: boolean
  search_time_ms: number
}

/** What `search_memory` takes. */
export interface SearchMemoryInput {
  /** What to look for; an empty query finds nothing. A string of 0 to 500 characters. */
  query: string
  /** Only the memory of this session; left out or "all": every scope. A session_id, or "all". */
  session_id?: string | undefined
  /**
   * Search this shared namespace, and not your own memory. 1 to 8 parts joined by /, each of 1 to 100 characters
   * that are seen, at most 1000 bytes together.
   */
  namespace?: string | undefined
  /** The least score of a result. A number from 0 to 100. Default: `60`. */
  fuzzy_threshold?: number | undefined
  /** How many. A whole number from 1 to 100. Default: `10`. */
  limit?: number | undefined
}

/** What `search_memory` answers. */
export interface SearchMemoryOutput {
  results: Array<{
    key: string
    scope: 'session' | 'global' | 'namespace'
    namespace: string | null
    session_id: string | null
    value: unknown
    /** 0 to 100; 100 is an exact match */
    score: number
    updated_at: string
  }>
  query: string
  threshold: number
  count: number
  /** Whether you have stored more than one search looks at */
  partial: boolean
}

/** What `search_by_sender` takes. */
export interface SearchBySenderInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /**
   * The agent_id of the writer. A string of 1 to 100 characters, without control characters and without space
   * around it.
   */
  sender: string
  /** How many. A whole number from 1 to 100. Default: `20`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `search_by_sender` answers. */
export interface SearchBySenderOutput {
  messages: Message[]
  sender: string
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `search_by_timerange` takes. */
export interface SearchByTimerangeInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** The beginning: ISO-8601. An ISO-8601 date (2026-01-31) or date-time (2026-01-31T09:30:00Z). */
  start_time: string
  /** The end: ISO-8601. An ISO-8601 date (2026-01-31) or date-time (2026-01-31T09:30:00Z). */
  end_time: string
  /** How many. A whole number from 1 to 200. Default: `50`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `search_by_timerange` answers. */
export interface SearchByTimerangeOutput {
  messages: Message[]
  timerange: {
    start: string
    end: string
  }
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `set_memory` takes. */
export interface SetMemoryInput {
  /** Its name. A string of 1 to 255 characters after trimming, without control characters. */
  key: string
  /** Any JSON value. Any JSON value of at most 4194304 bytes. */
  value: unknown
  /** A session; without: global. A session_id as create_session returned it. */
  session_id?: string | undefined
  /**
   * Shared memory, such as team/plans. 1 to 8 parts joined by /, each of 1 to 100 characters that are seen, at most
   * 1000 bytes together.
   */
  namespace?: string | undefined
  /** Only if it has this version; 0: none. A whole number from 0 to 9007199254740991. */
  if_version?: number | undefined
  /** Seconds; 0: for ever. A whole number from 0 to 31536000. Default: `0`. */
  expires_in?: number | undefined
  /**
   * Anything about the value. An object of at most 50 keys (each at most 100 characters) and 10000 characters as
   * JSON.
   */
  metadata?: Record<string, unknown> | undefined
  /** false: KEY_EXISTS if there is one. True or false. Default: `true`. */
  overwrite?: boolean | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `set_memory` answers. */
export interface SetMemoryOutput {
  key: string
  scope: 'session' | 'global' | 'namespace'
  namespace: string | null
  session_scoped: boolean
  stored_at: string
  expires_at: string | null
  /** Larger than every earlier one of the key; not one more */
  version: number
}

/** What `get_memory` takes. */
export interface GetMemoryInput {
  /** Its name. A string of 1 to 255 characters after trimming, without control characters. */
  key: string
  /** A session; without: global. A session_id as create_session returned it. */
  session_id?: string | undefined
  /**
   * Shared memory. 1 to 8 parts joined by /, each of 1 to 100 characters that are seen, at most 1000 bytes
   * together.
   */
  namespace?: string | undefined
  /** Keep it as long again. True or false. */
  touch?: boolean | undefined
}

/** What `get_memory` answers. */
export interface GetMemoryOutput {
  key: string
  scope: 'session' | 'global' | 'namespace'
  namespace: string | null
  version: number
  value: unknown
  metadata: Record<string, unknown>
  created_at: string
  updated_at: string
  /** Who wrote it last */
  updated_by: string
  expires_at: string | null
}

/** What `list_memory` takes. */
export interface ListMemoryInput {
  /** A session; all: all of yours; without: global. A session_id, or "all". */
  session_id?: string | undefined
  /**
   * Shared memory. 1 to 8 parts joined by /, each of 1 to 100 characters that are seen, at most 1000 bytes
   * together.
   */
  namespace?: string | undefined
  /** How the keys begin. A string of at most 255 characters. */
  prefix?: string | undefined
  /**
   * Fields of object values, as {"n":{"$gte":3}}; also $eq $ne $gt $lt $lte. An object such as {"state": "open",
   * "n": {"$gte": 3}}.
   */
  filter?: Record<string, unknown> | undefined
  /** With the values. True or false. */
  include_values?: boolean | undefined
  /** Default updated. One of updated, key. */
  order?: 'updated' | 'key' | undefined
  /** Keep it as long again. True or false. */
  touch?: boolean | undefined
  /** How many. A whole number from 1 to 1000. Default: `50`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `list_memory` answers. */
export interface ListMemoryOutput {
  entries: Array<{
    key: string
    scope: 'session' | 'global' | 'namespace'
    namespace: string | null
    version: number
    session_id: string | null
    /** Bytes of the value as JSON */
    value_size: number
    created_at: string
    updated_at: string
    /** Who wrote it last */
    updated_by: string
    expires_at: string | null
    value?: unknown
  }>
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
  /** "global", "all", the session, or the namespace */
  scope_filter: string
}

/** What `delete_memory` takes. */
export interface DeleteMemoryInput {
  /** Its name. A string of 1 to 255 characters after trimming, without control characters. */
  key?: string | undefined
  /** Delete all values whose keys begin with exactly this. A string of 1 to 255 characters. */
  prefix?: string | undefined
  /** A session; without: global. A session_id as create_session returned it. */
  session_id?: string | undefined
  /**
   * Shared memory. 1 to 8 parts joined by /, each of 1 to 100 characters that are seen, at most 1000 bytes
   * together.
   */
  namespace?: string | undefined
  /** With key: only if it has this version; 0: it must be absent. A whole number from 0 to 9007199254740991. */
  if_version?: number | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `delete_memory` answers. */
export interface DeleteMemoryOutput {
  deleted: boolean
  /** How many values were there */
  count: number
}

/** What `update_memory` takes. */
export interface UpdateMemoryInput {
  /** Its name. A string of 1 to 255 characters after trimming, without control characters. */
  key: string
  /** How it changes. One of increment, append, merge. */
  op: 'increment' | 'append' | 'merge'
  /** The number, the element, or the object of fields. Any JSON value of at most 4194304 bytes. */
  value: unknown
  /** A session; without: global. A session_id as create_session returned it. */
  session_id?: string | undefined
  /**
   * Shared memory. 1 to 8 parts joined by /, each of 1 to 100 characters that are seen, at most 1000 bytes
   * together.
   */
  namespace?: string | undefined
  /** Only if it has this version; 0: only if it is absent. A whole number from 0 to 9007199254740991. */
  if_version?: number | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `update_memory` answers. */
export interface UpdateMemoryOutput {
  key: string
  scope: 'session' | 'global' | 'namespace'
  namespace: string | null
  value: unknown
  version: number
  expires_at: string | null
}

/** What `batch_memory` takes. */
export interface BatchMemoryInput {
  /** The operations, at most 500. An array of 1 to 500 items. */
  operations: Array<{
    /** What it does. One of get, set, delete, list. */
    op: 'get' | 'set' | 'delete' | 'list'
    /** Its name. A string of 1 to 255 characters after trimming, without control characters. */
    key?: string | undefined
    /** With set: any JSON value. Any JSON value of at most 4194304 bytes. */
    value?: unknown
    /** With list or delete: how the keys begin. A string of 0 to 255 characters. */
    prefix?: string | undefined
    /** A session; without: global. A session_id as create_session returned it. */
    session_id?: string | undefined
    /**
     * Shared memory. 1 to 8 parts joined by /, each of 1 to 100 characters that are seen, at most 1000 bytes
     * together.
     */
    namespace?: string | undefined
    /** With set or delete: only if it has this version. A whole number from 0 to 9007199254740991. */
    if_version?: number | undefined
    /** Seconds; 0: for ever. A whole number from 0 to 31536000. Default: `0`. */
    expires_in?: number | undefined
    /**
     * Anything about the value. An object of at most 50 keys (each at most 100 characters) and 10000 characters as
     * JSON.
     */
    metadata?: Record<string, unknown> | undefined
    /** false: KEY_EXISTS if there is one. True or false. Default: `true`. */
    overwrite?: boolean | undefined
    /** With list: how many at most. A whole number from 1 to 1000. Default: `50`. */
    limit?: number | undefined
  }>
  /** Whether an error takes everything back. True or false. Default: `true`. */
  atomic?: boolean | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `batch_memory` answers. */
export interface BatchMemoryOutput {
  /** In the order of the operations */
  results: Array<{
    op: string
    /** false: error says why */
    ok: boolean
    key?: string
    found?: boolean
    value?: unknown
    metadata?: Record<string, unknown>
    version?: number
    stored_at?: string
    created_at?: string
    updated_at?: string
    updated_by?: string
    expires_at?: string | null
    deleted?: boolean
    entries?: Array<{
      key: string
      version: number
      value_size: number
      updated_at: string
      updated_by: string
      expires_at: string | null
    }>
    count?: number
    has_more?: boolean
    error?: Record<string, unknown>
  }>
  count: number
  /** Whether the answer has no room for the last results; what they wrote is written */
  has_more: boolean
}

/** What `memory_history` takes. */
export interface MemoryHistoryInput {
  /** Its name. A string of 1 to 255 characters after trimming, without control characters. */
  key: string
  /** A session; without: global. A session_id as create_session returned it. */
  session_id?: string | undefined
  /**
   * Shared memory. 1 to 8 parts joined by /, each of 1 to 100 characters that are seen, at most 1000 bytes
   * together.
   */
  namespace?: string | undefined
  /** How many. A whole number from 1 to 20. Default: `20`. */
  limit?: number | undefined
}

/** What `memory_history` answers. */
export interface MemoryHistoryOutput {
  key: string
  scope: 'session' | 'global' | 'namespace'
  namespace: string | null
  versions: Array<{
    version: number
    value: unknown
    changed_by: string
    changed_at: string
  }>
  count: number
  /** Whether more are kept than this answer holds */
  has_more: boolean
}

/** What `set_namespace` takes. */
export interface SetNamespaceInput {
  /**
   * Such as team/plans. 1 to 8 parts joined by /, each of 1 to 100 characters that are seen, at most 1000 bytes
   * together.
   */
  namespace: string
  /** Who may read: each an agent_id, type:<agent_type>, or *. An array of 0 to 100 items. */
  readers: string[]
  /** Who may read and write. An array of 0 to 100 items. */
  writers: string[]
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `set_namespace` answers. */
export interface SetNamespaceOutput {
  namespace: string
  owner: string
  readers: string[]
  writers: string[]
  created: boolean
}

/** What `list_namespaces` takes. */
export interface ListNamespacesInput {
  /** Only names that begin with exactly this. A string of 1 to 807 characters, without control characters. */
  prefix?: string | undefined
  /** Only names that end with exactly this. A string of 1 to 807 characters, without control characters. */
  suffix?: string | undefined
  /** Cut names to so many parts; each then comes once. A whole number from 1 to 8. */
  depth?: number | undefined
  /** How many. A whole number from 1 to 500. Default: `100`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `list_namespaces` answers. */
export interface ListNamespacesOutput {
  namespaces: Array<{
    namespace: string
    /** Null: it has no rights of its own, but those from above */
    owner: string | null
    readers: string[]
    writers: string[]
  }>
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `create_task` takes. */
export interface CreateTaskInput {
  /** What to do, in a line. A string of 1 to 300 characters. */
  title: string
  /** All that it takes. A string of at most 100000 characters. */
  description?: string | undefined
  /** A session; without: the workspace. A session_id as create_session returned it. */
  session_id?: string | undefined
  /** Who alone may see and claim it: agent_ids, type:<agent_type>. An array of 1 to 50 items. */
  to?: string[] | undefined
  /** What must be completed before: task_ids. An array of 1 to 100 items. */
  depends_on?: string[] | undefined
  /** Higher ones go first. A whole number from -100 to 100. Default: `0`. */
  priority?: number | undefined
  /** Most tries. A whole number from 1 to 100. Default: `3`. */
  max_attempts?: number | undefined
  /** Seconds a claim lasts. A whole number from 1 to 86400. Default: `300`. */
  lease_seconds?: number | undefined
  /**
   * Anything about the task. An object of at most 50 keys (each at most 100 characters) and 10000 characters as
   * JSON.
   */
  metadata?: Record<string, unknown> | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `create_task` answers. */
export interface CreateTaskOutput {
  task: Task
}

/** What `create_tasks` takes. */
export interface CreateTasksInput {
  /** Tasks as create_task takes them. An array of 1 to 100 items. */
  tasks: Array<{
    /** Its name in this call. A string of 1 to 100 characters. */
    ref?: string | undefined
    /** What to do, in a line. A string of 1 to 300 characters. */
    title: string
    /** All that it takes. A string of at most 100000 characters. */
    description?: string | undefined
    /** A session; without: the workspace. A session_id as create_session returned it. */
    session_id?: string | undefined
    /** Who alone may see and claim it: agent_ids, type:<agent_type>. An array of 1 to 50 items. */
    to?: string[] | undefined
    /** What must be completed before: task_ids, refs. An array of 1 to 100 items. */
    depends_on?: string[] | undefined
    /** Higher ones go first. A whole number from -100 to 100. Default: `0`. */
    priority?: number | undefined
    /** Most tries. A whole number from 1 to 100. Default: `3`. */
    max_attempts?: number | undefined
    /** Seconds a claim lasts. A whole number from 1 to 86400. Default: `300`. */
    lease_seconds?: number | undefined
    /**
     * Anything about the task. An object of at most 50 keys (each at most 100 characters) and 10000 characters as
     * JSON.
     */
    metadata?: Record<string, unknown> | undefined
  }>
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `create_tasks` answers. */
export interface CreateTasksOutput {
  tasks: Task[]
  count: number
}

/** What `list_tasks` takes. */
export interface ListTasksInput {
  /** Only in this state. One of submitted, working, input_required, completed, failed, canceled. */
  state?: 'submitted' | 'working' | 'input_required' | 'completed' | 'failed' | 'canceled' | undefined
  /** Only what you could claim now. True or false. Default: `false`. */
  ready?: boolean | undefined
  /** A session; without: all. A session_id as create_session returned it. */
  session_id?: string | undefined
  /**
   * Who holds it, or held it last. A string of 1 to 100 characters, without control characters and without space
   * around it.
   */
  assignee?: string | undefined
  /** Who created it. A string of 1 to 100 characters, without control characters and without space around it. */
  created_by?: string | undefined
  /** Text in title or description. A string of 1 to 500 characters. */
  query?: string | undefined
  /** How many. A whole number from 1 to 200. Default: `50`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `list_tasks` answers. */
export interface ListTasksOutput {
  tasks: Task[]
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `get_task` takes. */
export interface GetTaskInput {
  /** The task. A task_id as create_task returned it. */
  task_id: string
}

/** What `get_task` answers. */
export interface GetTaskOutput {
  task: Task
  /** Oldest first */
  history: Array<{
    at: string
    /** Who did it; null: the end of a lease, or of a task on which this one depended */
    agent_id: string | null
    /** The state before; null for the first */
    from: string | null
    /** The state from then on */
    to: 'submitted' | 'working' | 'input_required' | 'completed' | 'failed' | 'canceled'
    /** What was said about it */
    note: string | null
  }>
}

/** What `claim_task` takes. */
export interface ClaimTaskInput {
  /** This task alone. A task_id as create_task returned it. */
  task_id?: string | undefined
  /** A session; without: any. A session_id as create_session returned it. */
  session_id?: string | undefined
  /** Seconds to wait, at most 25 over MCP. A number from 0 to 55. Default: `0`. */
  wait_seconds?: number | undefined
}

/** What `claim_task` answers. */
export interface ClaimTaskOutput {
  /** The task; null if there is none */
  task: Task | null
  /** Your hold on it; null without a task */
  lease: TaskLease | null
  /** true: you waited, and no task was ready: call again. false: none can become ready, or you did not wait */
  timed_out: boolean
}

/** What `renew_task` takes. */
export interface RenewTaskInput {
  /** The task. A task_id as create_task returned it. */
  task_id: string
  /** lease.token of claim_task. A whole number from 1 to 9007199254740991. */
  lease_token: number
}

/** What `renew_task` answers. */
export interface RenewTaskOutput {
  /** Your hold on the task */
  lease: TaskLease
}

/** What `complete_task` takes. */
export interface CompleteTaskInput {
  /** The task. A task_id as create_task returned it. */
  task_id: string
  /** lease.token of claim_task. A whole number from 1 to 9007199254740991. */
  lease_token: number
  /** What came of it: any JSON value. Any JSON value of at most 1048576 bytes. */
  result?: unknown
}

/** What `complete_task` answers. */
export interface CompleteTaskOutput {
  task: Task
}

/** What `fail_task` takes. */
export interface FailTaskInput {
  /** The task. A task_id as create_task returned it. */
  task_id: string
  /** lease.token of claim_task. A whole number from 1 to 9007199254740991. */
  lease_token: number
  /** What went wrong. A string of 1 to 10000 characters. */
  error: string
  /** false: nobody may try again. True or false. Default: `true`. */
  retry?: boolean | undefined
}

/** What `fail_task` answers. */
export interface FailTaskOutput {
  task: Task
}

/** What `release_task` takes. */
export interface ReleaseTaskInput {
  /** The task. A task_id as create_task returned it. */
  task_id: string
  /** Of the holder. A whole number from 1 to 9007199254740991. */
  lease_token?: number | undefined
  /** What is done, and what is left. A string of 1 to 10000 characters. */
  note: string
}

/** What `release_task` answers. */
export interface ReleaseTaskOutput {
  task: Task
}

/** What `update_task` takes. */
export interface UpdateTaskInput {
  /** The task. A task_id as create_task returned it. */
  task_id: string
  /** Of the holder. A whole number from 1 to 9007199254740991. */
  lease_token?: number | undefined
  /** What to do, in a line. A string of 1 to 300 characters. */
  title?: string | undefined
  /** All that it takes. A string of at most 100000 characters. */
  description?: string | undefined
  /** Higher ones go first. A whole number from -100 to 100. */
  priority?: number | undefined
  /**
   * In place of its metadata. An object of at most 50 keys (each at most 100 characters) and 10000 characters as
   * JSON.
   */
  metadata?: Record<string, unknown> | undefined
  /** input_required: its holder waits. One of working, input_required. */
  state?: 'working' | 'input_required' | undefined
}

/** What `update_task` answers. */
export interface UpdateTaskOutput {
  task: Task
}

/** What `cancel_task` takes. */
export interface CancelTaskInput {
  /** The task. A task_id as create_task returned it. */
  task_id: string
  /** Why it is called off. A string of 1 to 10000 characters. */
  reason?: string | undefined
}

/** What `cancel_task` answers. */
export interface CancelTaskOutput {
  task: Task
}

/** What `acquire_lease` takes. */
export interface AcquireLeaseInput {
  /** The names. An array of 1 to 20 items. */
  names: string[]
  /** For how many seconds, from now on. A whole number from 1 to 3600. Default: `60`. */
  ttl_seconds?: number | undefined
  /** Seconds to wait, at most 25 over MCP. A number from 0 to 55. Default: `0`. */
  wait_seconds?: number | undefined
  /** What for: those who want the name see it. A string of 1 to 1000 characters. */
  purpose?: string | undefined
}

/** What `acquire_lease` answers. */
export interface AcquireLeaseOutput {
  leases: Array<{
    name: string
    /** Larger than that of everybody who held the name before */
    token: number
    /** When it ends by itself, by the clock of the database */
    expires_at: string
  }>
}

/** What `renew_lease` takes. */
export interface RenewLeaseInput {
  /** The leases, as acquire_lease returned them. An array of 1 to 20 items. */
  leases: Array<{
    /** The name: anything that agents agree on. A string of 1 to 500 characters, without control characters. */
    name: string
    /** Its token, as acquire_lease returned it. A whole number from 1 to 9007199254740991. */
    token: number
    /** Not needed, and not read. A string of at most 100 characters. */
    expires_at?: string | undefined
  }>
  /** For how many seconds, from now on. A whole number from 1 to 3600. Default: `60`. */
  ttl_seconds?: number | undefined
}

/** What `renew_lease` answers. */
export interface RenewLeaseOutput {
  leases: Array<{
    name: string
    /** Larger than that of everybody who held the name before */
    token: number
    /** When it ends by itself, by the clock of the database */
    expires_at: string
  }>
}

/** What `release_lease` takes. */
export interface ReleaseLeaseInput {
  /** The leases, as acquire_lease returned them. An array of 1 to 20 items. */
  leases: Array<{
    /** The name: anything that agents agree on. A string of 1 to 500 characters, without control characters. */
    name: string
    /** Its token, as acquire_lease returned it. A whole number from 1 to 9007199254740991. */
    token?: number | undefined
    /** Not needed, and not read. A string of at most 100 characters. */
    expires_at?: string | undefined
  }>
}

/** What `release_lease` answers. */
export interface ReleaseLeaseOutput {
  /** The names that were held until now */
  released: string[]
  count: number
}

/** What `list_leases` takes. */
export interface ListLeasesInput {
  /** Only names that begin with exactly this. A string of 1 to 500 characters. */
  prefix?: string | undefined
  /**
   * Only what this agent holds. A string of 1 to 100 characters, without control characters and without space
   * around it.
   */
  holder?: string | undefined
  /** How many. A whole number from 1 to 1000. Default: `100`. */
  limit?: number | undefined
}

/** What `list_leases` answers. */
export interface ListLeasesOutput {
  leases: Array<{
    name: string
    holder: string
    /** What for, as the holder said */
    purpose: string | null
    expires_at: string
  }>
  count: number
  has_more: boolean
}

/** What `export_session` takes. */
export interface ExportSessionInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** How many. A whole number from 1 to 1000. Default: `500`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `export_session` answers. */
export interface ExportSessionOutput {
  session_id: string
  /** Lines, each ended by a line break */
  ndjson: string
  /** Messages in this answer */
  count: number
  has_more: boolean
  next_cursor: string | null
}

/** What `import_session` takes. */
export interface ImportSessionInput {
  /** The ndjson of all pages of export_session, one after the other. The lines that export_session returned. */
  ndjson: string
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `import_session` answers. */
export interface ImportSessionOutput {
  session_id: string
  message_count: number
  /** What the sender should think of */
  warnings?: string[]
}

/** What `get_usage_guidance` takes. */
export interface GetUsageGuidanceInput {
  /** The topic. One of operations, coordination, security, troubleshooting. Default: `"operations"`. */
  guidance_type?: 'operations' | 'coordination' | 'security' | 'troubleshooting' | undefined
}

/** What `get_usage_guidance` answers. */
export interface GetUsageGuidanceOutput {
  /** none, read, write or admin */
  access_level: string
  agent_info: {
    agent_id: string
    agent_type: string
    permissions: string[]
  } | null
  guidance: {
    topic: string
    advice: string[]
    /** What you may call */
    tools: Array<{
      name: string
      title: string
    }>
    errors?: Record<string, string>
  }
  examples: Array<{
    tool: string
    arguments: Record<string, unknown>
    purpose: string
  }>
}

/** What `get_performance_metrics` takes. */
export type GetPerformanceMetricsInput = Record<string, never>

/** What `get_performance_metrics` answers. */
export interface GetPerformanceMetricsOutput {
  /** The replica that answered; counts and latencies are its own */
  replica: string
  version: string
  started_at: string
  uptime_seconds: number
  pool: {
    total: number
    idle: number
    waiting: number
    max: number
  }
  tools: Array<{
    tool: string
    success: number
    error: number
    /** Milliseconds */
    p50_ms: number
    /** Milliseconds */
    p95_ms: number
    /** Milliseconds */
    p99_ms: number
  }>
  database: {
    size_bytes: number
    /** As of the last analysis by PostgreSQL */
    estimated_rows: Record<string, number>
  }
  process: {
    resident_bytes: number
    heap_used_bytes: number
  }
}

/** What `get_server_health` takes. */
export interface GetServerHealthInput {
  /**
   * Count only the calls of this tool, minute by minute; without: of all tools. A string of 0 to 100 characters.
   */
  tool?: string | undefined
}

/** What `get_server_health` answers. */
export interface GetServerHealthOutput {
  replicas: Array<{
    replica: string
    version: string
    started_at: string
    seen_at: string
    /** false: it was killed, or does not reach the database */
    is_up: boolean
    /** A second */
    calls_per_second: number
    /** To the database, and calls that wait for one */
    connections: {
      in_use: number
      waiting: number
      max: number
    }
    /** poll: hints of changes do not arrive, and the database is asked every 250 ms */
    event_hints: 'listen' | 'poll'
    resident_bytes: number
  }>
  /**
   * From the oldest to the newest. Without the argument tool, the latencies leave out tools that wait for others
   */
  minutes: Array<{
    minute: string
    replicas: number
    /** A second */
    calls_per_second: number
    /** A second */
    errors_per_second: number
    /** Milliseconds */
    p50_ms: number
    /** Milliseconds */
    p95_ms: number
    /** Milliseconds */
    p99_ms: number
    connections_in_use: number
    /** Calls that wait for a connection */
    calls_waiting: number
    resident_bytes: number
    /** Messages that the search index does not hold yet */
    search_waiting: number
    database_bytes: number
  }>
  /** Each tool that was called within the hour */
  tools: Array<{
    tool: string
    success: number
    error: number
    /** Milliseconds */
    p50_ms: number
    /** Milliseconds */
    p95_ms: number
    /** Milliseconds */
    p99_ms: number
  }>
}

/** What `list_workspaces` takes. */
export interface ListWorkspacesInput {
  /** How many. A whole number from 1 to 200. Default: `50`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `list_workspaces` answers. */
export interface ListWorkspacesOutput {
  workspaces: Array<{
    workspace: string
    sessions: number
    /** Messages, and later changes of them */
    session_messages: number
    /** Bytes ever written into sessions */
    session_bytes: number
    /** The most of one session */
    largest_session: {
      /** Messages, and later changes of them */
      session_messages: number
      /** Bytes ever written into sessions */
      session_bytes: number
    }
    memory_entries: number
    memory_bytes: number
    /** The most of one agent or namespace */
    largest_memory: {
      memory_entries: number
      memory_bytes: number
    }
    /** Agents that have called */
    agents: number
    last_seen_at: string | null
    /** Keys that are valid */
    api_keys: number
    /** Days that messages are kept; 0: for ever */
    retention_days: number
  }>
  /** The most that there may be; 0: any amount */
  quotas: {
    /** Of a workspace */
    sessions: number
    /** Of a session */
    session_messages: number
    /** Of a session */
    session_bytes: number
    /** Of an agent */
    memory_entries: number
    /** Of an agent */
    memory_bytes: number
    /** Of a workspace, that are not done */
    tasks: number
  }
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `get_audit_log` takes. */
export interface GetAuditLogInput {
  /** A session; without: all that you may see. A session_id as create_session returned it. */
  session_id?: string | undefined
  /**
   * Only what this agent did. A string of 1 to 100 characters, without control characters and without space around
   * it.
   */
  agent_id?: string | undefined
  /** Only events of this type, such as message_added. A string of at most 100 characters. */
  event_type?: string | undefined
  /** Only events from then on: ISO-8601. An ISO-8601 date (2026-01-31) or date-time (2026-01-31T09:30:00Z). */
  start_time?: string | undefined
  /** Only events up to then: ISO-8601. An ISO-8601 date (2026-01-31) or date-time (2026-01-31T09:30:00Z). */
  end_time?: string | undefined
  /** How many. A whole number from 1 to 1000. Default: `100`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `get_audit_log` answers. */
export interface GetAuditLogOutput {
  entries: Array<{
    id: number
    timestamp: string
    event_type: string
    agent_id: string | null
    session_id: string | null
    /** The tool that was called */
    action: string
    resource: string | null
    result: string
    request_id: string
    metadata: Record<string, unknown>
  }>
  /** Items in this answer */
  count: number
  has_more: boolean
  /** Pass it as cursor for the next page; null: there is none */
  next_cursor: string | null
}

/** What `verify_audit_log` takes. */
export interface VerifyAuditLogInput {
  /** How many rows to check at most. A whole number from 1 to 1000000. Default: `100000`. */
  limit?: number | undefined
  /** The last next_cursor. Next_cursor of an earlier answer. */
  cursor?: string | undefined
}

/** What `verify_audit_log` answers. */
export interface VerifyAuditLogOutput {
  /**
   * intact: all that is chained is as it was written. unfinished: so far; call again with next_cursor. faulty: see
   * fault. off: the server has no key for a chain
   */
  state: 'intact' | 'faulty' | 'unfinished' | 'off'
  fault: null | {
    /**
     * altered, missing, reordered or forged (put in afterwards) of a row; head or beginning of a signature that
     * does not fit; key: signed with a key that the server does not have
     */
    kind: string
    seq: number | null
    audit_id: number | null
    explanation: string
  }
  /** Where the chain begins; above 1 once old rows have been dropped */
  first_seq: number
  /** How far this call came */
  last_seq: number
  rows_checked: number
  heads_checked: number
  last_head: null | {
    seq: number
    signed_at: string
  }
  /** Rows too young to have a place in the chain; counted when the end is reached */
  not_yet_chained: number
  has_more: boolean
  next_cursor: string | null
}

/** What `delete_session` takes. */
export interface DeleteSessionInput {
  /** The session. A session_id as create_session returned it. */
  session_id: string
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `delete_session` answers. */
export interface DeleteSessionOutput {
  /** true */
  deleted: boolean
  session_id: string
}

/** What `erase_agent` takes. */
export interface EraseAgentInput {
  /**
   * The agent to erase. A string of 1 to 100 characters, without control characters and without space around it.
   */
  agent_id: string
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `erase_agent` answers. */
export interface EraseAgentOutput {
  agent_id: string
  /** What stands in its place from now on */
  pseudonym: string
  revoked_tokens: number
  /** Values it had stored */
  deleted_memory: number
}

/** What `get_retention` takes. */
export type GetRetentionInput = Record<string, never>

/** What `get_retention` answers. */
export interface GetRetentionOutput {
  /** Days that messages and closed sessions are kept; 0: for ever */
  days: number
  /** Whether the workspace has a setting of its own, or follows the server's */
  source: 'workspace' | 'server'
  /** The server's own setting */
  server_days: number
  /** Days that audit rows are kept; 0: for ever. Only the operator can change it */
  audit_days: number
  /** The same of audit rows */
  audit_source: 'workspace' | 'server'
}

/** What `set_retention` takes. */
export interface SetRetentionInput {
  /** Days to keep things; 0: for ever. A whole number from 0 to 36500. */
  days?: number | undefined
  /** true: instead of days, whatever the server is set to. True or false. */
  use_server_default?: boolean | undefined
  /** Repeats with it happen once. A string of 1 to 255 characters. */
  idempotency_key?: string | undefined
}

/** What `set_retention` answers. */
export interface SetRetentionOutput {
  /** Days that messages and closed sessions are kept; 0: for ever */
  days: number
  /** Whether the workspace has a setting of its own, or follows the server's */
  source: 'workspace' | 'server'
  /** The server's own setting */
  server_days: number
  /** Days that audit rows are kept; 0: for ever. Only the operator can change it */
  audit_days: number
  /** The same of audit rows */
  audit_source: 'workspace' | 'server'
}

/** Every tool, with the types of its arguments and of its answer. */
export interface Tools {
  authenticate_agent: { input: AuthenticateAgentInput; output: AuthenticateAgentOutput }
  refresh_token: { input: RefreshTokenInput; output: RefreshTokenOutput }
  revoke_token: { input: RevokeTokenInput; output: RevokeTokenOutput }
  create_token: { input: CreateTokenInput; output: CreateTokenOutput }
  create_api_key: { input: CreateApiKeyInput; output: CreateApiKeyOutput }
  list_api_keys: { input: ListApiKeysInput; output: ListApiKeysOutput }
  revoke_api_key: { input: RevokeApiKeyInput; output: RevokeApiKeyOutput }
  create_session: { input: CreateSessionInput; output: CreateSessionOutput }
  get_session: { input: GetSessionInput; output: GetSessionOutput }
  list_sessions: { input: ListSessionsInput; output: ListSessionsOutput }
  update_session: { input: UpdateSessionInput; output: UpdateSessionOutput }
  close_session: { input: CloseSessionInput; output: CloseSessionOutput }
  archive_session: { input: ArchiveSessionInput; output: ArchiveSessionOutput }
  add_message: { input: AddMessageInput; output: AddMessageOutput }
  add_messages: { input: AddMessagesInput; output: AddMessagesOutput }
  get_messages: { input: GetMessagesInput; output: GetMessagesOutput }
  set_message_visibility: { input: SetMessageVisibilityInput; output: SetMessageVisibilityOutput }
  delete_message: { input: DeleteMessageInput; output: DeleteMessageOutput }
  wait_for_messages: { input: WaitForMessagesInput; output: WaitForMessagesOutput }
  mark_read: { input: MarkReadInput; output: MarkReadOutput }
  get_inbox: { input: GetInboxInput; output: GetInboxOutput }
  wait_for_inbox: { input: WaitForInboxInput; output: WaitForInboxOutput }
  ack_messages: { input: AckMessagesInput; output: AckMessagesOutput }
  get_receipts: { input: GetReceiptsInput; output: GetReceiptsOutput }
  ask: { input: AskInput; output: AskOutput }
  wait_for_reply: { input: WaitForReplyInput; output: WaitForReplyOutput }
  list_agents: { input: ListAgentsInput; output: ListAgentsOutput }
  set_status: { input: SetStatusInput; output: SetStatusOutput }
  search_context: { input: SearchContextInput; output: SearchContextOutput }
  search_memory: { input: SearchMemoryInput; output: SearchMemoryOutput }
  search_by_sender: { input: SearchBySenderInput; output: SearchBySenderOutput }
  search_by_timerange: { input: SearchByTimerangeInput; output: SearchByTimerangeOutput }
  set_memory: { input: SetMemoryInput; output: SetMemoryOutput }
  get_memory: { input: GetMemoryInput; output: GetMemoryOutput }
  list_memory: { input: ListMemoryInput; output: ListMemoryOutput }
  delete_memory: { input: DeleteMemoryInput; output: DeleteMemoryOutput }
  update_memory: { input: UpdateMemoryInput; output: UpdateMemoryOutput }
  batch_memory: { input: BatchMemoryInput; output: BatchMemoryOutput }
  memory_history: { input: MemoryHistoryInput; output: MemoryHistoryOutput }
  set_namespace: { input: SetNamespaceInput; output: SetNamespaceOutput }
  list_namespaces: { input: ListNamespacesInput; output: ListNamespacesOutput }
  create_task: { input: CreateTaskInput; output: CreateTaskOutput }
  create_tasks: { input: CreateTasksInput; output: CreateTasksOutput }
  list_tasks: { input: ListTasksInput; output: ListTasksOutput }
  get_task: { input: GetTaskInput; output: GetTaskOutput }
  claim_task: { input: ClaimTaskInput; output: ClaimTaskOutput }
  renew_task: { input: RenewTaskInput; output: RenewTaskOutput }
  complete_task: { input: CompleteTaskInput; output: CompleteTaskOutput }
  fail_task: { input: FailTaskInput; output: FailTaskOutput }
  release_task: { input: ReleaseTaskInput; output: ReleaseTaskOutput }
  update_task: { input: UpdateTaskInput; output: UpdateTaskOutput }
  cancel_task: { input: CancelTaskInput; output: CancelTaskOutput }
  acquire_lease: { input: AcquireLeaseInput; output: AcquireLeaseOutput }
  renew_lease: { input: RenewLeaseInput; output: RenewLeaseOutput }
  release_lease: { input: ReleaseLeaseInput; output: ReleaseLeaseOutput }
  list_leases: { input: ListLeasesInput; output: ListLeasesOutput }
  export_session: { input: ExportSessionInput; output: ExportSessionOutput }
  import_session: { input: ImportSessionInput; output: ImportSessionOutput }
  get_usage_guidance: { input: GetUsageGuidanceInput; output: GetUsageGuidanceOutput }
  get_performance_metrics: { input: GetPerformanceMetricsInput; output: GetPerformanceMetricsOutput }
  get_server_health: { input: GetServerHealthInput; output: GetServerHealthOutput }
  list_workspaces: { input: ListWorkspacesInput; output: ListWorkspacesOutput }
  get_audit_log: { input: GetAuditLogInput; output: GetAuditLogOutput }
  verify_audit_log: { input: VerifyAuditLogInput; output: VerifyAuditLogOutput }
  delete_session: { input: DeleteSessionInput; output: DeleteSessionOutput }
  erase_agent: { input: EraseAgentInput; output: EraseAgentOutput }
  get_retention: { input: GetRetentionInput; output: GetRetentionOutput }
  set_retention: { input: SetRetentionInput; output: SetRetentionOutput }
}

/** Which field of an answer holds the items, of the tools that answer page after page. */
export const LISTS = {
  list_api_keys: 'keys',
  list_sessions: 'sessions',
  get_inbox: 'messages',
  list_agents: 'agents',
  search_by_sender: 'messages',
  search_by_timerange: 'messages',
  list_memory: 'entries',
  list_namespaces: 'namespaces',
  list_tasks: 'tasks',
  list_workspaces: 'workspaces',
  get_audit_log: 'entries'
} as const

/** Tools that take an idempotency_key: with one, a call that is repeated happens once. */
export const TAKES_KEY: ReadonlySet<string> = new Set([
  'revoke_api_key',
  'create_session',
  'update_session',
  'close_session',
  'archive_session',
  'add_message',
  'add_messages',
  'set_message_visibility',
  'delete_message',
  'mark_read',
  'ack_messages',
  'ask',
  'set_status',
  'set_memory',
  'delete_memory',
  'update_memory',
  'batch_memory',
  'set_namespace',
  'create_task',
  'create_tasks',
  'import_session',
  'delete_session',
  'erase_agent',
  'set_retention'
])

/** Tools of which a call must not be repeated: it may have made a secret that nobody got. */
export const ONCE: ReadonlySet<string> = new Set(['create_api_key'])
