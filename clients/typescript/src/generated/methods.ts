// Generated from the catalogue by `npm run docs`; edit the tools in src/ instead.

import type { CallOptions } from '../options.js'
import type {
  AuthenticateAgentInput,
  AuthenticateAgentOutput,
  RefreshTokenInput,
  RefreshTokenOutput,
  RevokeTokenInput,
  RevokeTokenOutput,
  CreateTokenInput,
  CreateTokenOutput,
  CreateApiKeyInput,
  CreateApiKeyOutput,
  ListApiKeysInput,
  ListApiKeysOutput,
  RevokeApiKeyInput,
  RevokeApiKeyOutput,
  CreateSessionInput,
  CreateSessionOutput,
  GetSessionInput,
  GetSessionOutput,
  ListSessionsInput,
  ListSessionsOutput,
  UpdateSessionInput,
  UpdateSessionOutput,
  CloseSessionInput,
  CloseSessionOutput,
  ArchiveSessionInput,
  ArchiveSessionOutput,
  AddMessageInput,
  AddMessageOutput,
  AddMessagesInput,
  AddMessagesOutput,
  GetMessagesInput,
  GetMessagesOutput,
  SetMessageVisibilityInput,
  SetMessageVisibilityOutput,
  DeleteMessageInput,
  DeleteMessageOutput,
  WaitForMessagesInput,
  WaitForMessagesOutput,
  MarkReadInput,
  MarkReadOutput,
  GetInboxInput,
  GetInboxOutput,
  WaitForInboxInput,
  WaitForInboxOutput,
  AckMessagesInput,
  AckMessagesOutput,
  GetReceiptsInput,
  GetReceiptsOutput,
  AskInput,
  AskOutput,
  WaitForReplyInput,
  WaitForReplyOutput,
  ListAgentsInput,
  ListAgentsOutput,
  SetStatusInput,
  SetStatusOutput,
  SearchContextInput,
  SearchContextOutput,
  SearchMemoryInput,
  SearchMemoryOutput,
  SearchBySenderInput,
  SearchBySenderOutput,
  SearchByTimerangeInput,
  SearchByTimerangeOutput,
  SetMemoryInput,
  SetMemoryOutput,
  GetMemoryInput,
  GetMemoryOutput,
  ListMemoryInput,
  ListMemoryOutput,
  DeleteMemoryInput,
  DeleteMemoryOutput,
  UpdateMemoryInput,
  UpdateMemoryOutput,
  BatchMemoryInput,
  BatchMemoryOutput,
  MemoryHistoryInput,
  MemoryHistoryOutput,
  SetNamespaceInput,
  SetNamespaceOutput,
  ListNamespacesInput,
  ListNamespacesOutput,
  CreateTaskInput,
  CreateTaskOutput,
  CreateTasksInput,
  CreateTasksOutput,
  ListTasksInput,
  ListTasksOutput,
  GetTaskInput,
  GetTaskOutput,
  ClaimTaskInput,
  ClaimTaskOutput,
  RenewTaskInput,
  RenewTaskOutput,
  CompleteTaskInput,
  CompleteTaskOutput,
  FailTaskInput,
  FailTaskOutput,
  ReleaseTaskInput,
  ReleaseTaskOutput,
  UpdateTaskInput,
  UpdateTaskOutput,
  CancelTaskInput,
  CancelTaskOutput,
  AcquireLeaseInput,
  AcquireLeaseOutput,
  RenewLeaseInput,
  RenewLeaseOutput,
  ReleaseLeaseInput,
  ReleaseLeaseOutput,
  ListLeasesInput,
  ListLeasesOutput,
  ExportSessionInput,
  ExportSessionOutput,
  ImportSessionInput,
  ImportSessionOutput,
  GetUsageGuidanceInput,
  GetUsageGuidanceOutput,
  GetPerformanceMetricsInput,
  GetPerformanceMetricsOutput,
  GetServerHealthInput,
  GetServerHealthOutput,
  ListWorkspacesInput,
  ListWorkspacesOutput,
  GetAuditLogInput,
  GetAuditLogOutput,
  VerifyAuditLogInput,
  VerifyAuditLogOutput,
  DeleteSessionInput,
  DeleteSessionOutput,
  EraseAgentInput,
  EraseAgentOutput,
  GetRetentionInput,
  GetRetentionOutput,
  SetRetentionInput,
  SetRetentionOutput,
  Tools
} from './tools.js'

/** A method for each tool of the service. */
export abstract class ToolMethods {
  /** Calls a tool by its name. Prefer the methods: they say what they do. */
  abstract call<N extends keyof Tools>(
    name: N,
    input: Tools[N]['input'],
    options?: CallOptions
  ): Promise<Tools[N]['output']>

  /**
   * Authenticate. Exchange an API key for a token; call this first. Send it as Authorization: Bearer <token> or as
   * auth_token; an MCP connection of 2025 then needs neither.
   *
   * Needs no permission.
   */
  authenticateAgent(input: AuthenticateAgentInput, options?: CallOptions): Promise<AuthenticateAgentOutput> {
    return this.call('authenticate_agent', input, options)
  }

  /**
   * Refresh a token. Exchange a token, before expires_at, for a new one; the old one ends.
   *
   * Needs no permission.
   */
  refreshToken(input: RefreshTokenInput = {}, options?: CallOptions): Promise<RefreshTokenOutput> {
    return this.call('refresh_token', input, options)
  }

  /**
   * Revoke a token. End a token and those made from it. With agent_id, an admin ends all of an agent.
   *
   * Needs no permission.
   */
  revokeToken(input: RevokeTokenInput = {}, options?: CallOptions): Promise<RevokeTokenOutput> {
    return this.call('revoke_token', input, options)
  }

  /**
   * Make a narrower token. Make a narrower token from yours, for a helper. It ends with yours.
   *
   * Needs no permission.
   */
  createToken(input: CreateTokenInput = {}, options?: CallOptions): Promise<CreateTokenOutput> {
    return this.call('create_token', input, options)
  }

  /**
   * Make an API key. For admins: make an API key for one agent, or for all whose names begin alike, with what it
   * may do and in which sessions. The key is shown once, in this answer, and kept nowhere: give it to the agent,
   * which uses it as api_key of authenticate_agent or as X-API-Key.
   *
   * Needs the permission `admin`.
   */
  createApiKey(input: CreateApiKeyInput, options?: CallOptions): Promise<CreateApiKeyOutput> {
    return this.call('create_api_key', input, options)
  }

  /**
   * List API keys. For admins: the API keys that were made for agents, newest first: whom each is for, what it may
   * do, who made it and when it ends. Never the keys themselves.
   *
   * Needs the permission `admin`.
   */
  listApiKeys(input: ListApiKeysInput = {}, options?: CallOptions): Promise<ListApiKeysOutput> {
    return this.call('list_api_keys', input, options)
  }

  /**
   * Revoke an API key. For admins: end an API key before its time, and with it every token that was made with it
   * and whatever is open under these. Every replica refuses it within 2 seconds. Keys that were made with it stay.
   *
   * Needs the permission `admin`.
   */
  revokeApiKey(input: RevokeApiKeyInput, options?: CallOptions): Promise<RevokeApiKeyOutput> {
    return this.call('revoke_api_key', input, options)
  }

  /**
   * Open a session. Open a session in which agents work together. With key: the session of that key, opened if
   * there is none.
   *
   * Needs the permission `write`.
   */
  createSession(input: CreateSessionInput, options?: CallOptions): Promise<CreateSessionOutput> {
    return this.call('create_session', input, options)
  }

  /**
   * Look at a session. A session: its newest messages first, who takes part, and how many messages you may see.
   *
   * Needs the permission `read`.
   */
  getSession(input: GetSessionInput, options?: CallOptions): Promise<GetSessionOutput> {
    return this.call('get_session', input, options)
  }

  /**
   * List sessions. Find sessions, newest first; archived ones only with archived.
   *
   * Needs the permission `read`.
   */
  listSessions(input: ListSessionsInput = {}, options?: CallOptions): Promise<ListSessionsOutput> {
    return this.call('list_sessions', input, options)
  }

  /**
   * Change, close or reopen a session. Change a session's purpose or metadata (which is replaced as a whole), close
   * it with is_active: false, or reopen it with is_active: true, which also takes it out of the archive. For its
   * creator and admins. A closed session can be read, not written.
   *
   * Needs the permission `write`.
   */
  updateSession(input: UpdateSessionInput, options?: CallOptions): Promise<UpdateSessionOutput> {
    return this.call('update_session', input, options)
  }

  /**
   * Close a session. Close a session when its work is done: it can still be read and searched, not written. For its
   * creator and admins. Closing it again changes nothing; update_session with is_active: true reopens it.
   *
   * Needs the permission `write`.
   */
  closeSession(input: CloseSessionInput, options?: CallOptions): Promise<CloseSessionOutput> {
    return this.call('close_session', input, options)
  }

  /**
   * Put a session away. Put a session away: it is closed, and left out of list_sessions and of a search_context
   * without session_id. Whoever has its session_id can still read and search it, and list_sessions with archived:
   * true lists it. For its creator and admins. To take it back, reopen it: update_session with is_active: true.
   *
   * Needs the permission `write`.
   */
  archiveSession(input: ArchiveSessionInput, options?: CallOptions): Promise<ArchiveSessionOutput> {
    return this.call('archive_session', input, options)
  }

  /**
   * Write a message. Write a message. visibility: public (everyone), private (you), agent_only (your agent_type),
   * direct (you and to), admin_only (admins, who alone write it).
   *
   * Needs the permission `write`.
   */
  addMessage(input: AddMessageInput, options?: CallOptions): Promise<AddMessageOutput> {
    return this.call('add_message', input, options)
  }

  /**
   * Write several messages. Write up to 100 messages into a session at once, in the order given: all of them or, if
   * one is refused, none.
   *
   * Needs the permission `write`.
   */
  addMessages(input: AddMessagesInput, options?: CallOptions): Promise<AddMessagesOutput> {
    return this.call('add_messages', input, options)
  }

  /**
   * Read messages. Messages of a session: the newest, in the order written. To follow it, pass the last last_seq as
   * after_seq.
   *
   * Needs the permission `read`.
   */
  getMessages(input: GetMessagesInput, options?: CallOptions): Promise<GetMessagesOutput> {
    return this.call('get_messages', input, options)
  }

  /**
   * Change who sees a message. Change who may see one of your messages, also in a closed session; an admin may do
   * so with anybody's. Agents that may no longer see it find it nowhere from then on; agents that newly may find it
   * after their cursor.
   *
   * Needs the permission `write`.
   */
  setMessageVisibility(input: SetMessageVisibilityInput, options?: CallOptions): Promise<SetMessageVisibilityOutput> {
    return this.call('set_message_visibility', input, options)
  }

  /**
   * Delete a message. Delete one of your messages for good, also in a closed session; an admin may delete
   * anybody's. Its text and metadata are gone at once, from searches and counts too. Agents that follow the session
   * and could see the message are told that it was deleted. Answers to it stay, with its id as their
   * parent_message_id.
   *
   * Needs the permission `write`.
   */
  deleteMessage(input: DeleteMessageInput, options?: CallOptions): Promise<DeleteMessageOutput> {
    return this.call('delete_message', input, options)
  }

  /**
   * Wait for messages. Wait for messages and changes of tasks after after_seq. Pass the last last_seq as after_seq,
   * also after timed_out: true, and nothing is missed or got twice.
   *
   * Needs the permission `read`.
   */
  waitForMessages(input: WaitForMessagesInput, options?: CallOptions): Promise<WaitForMessagesOutput> {
    return this.call('wait_for_messages', input, options)
  }

  /**
   * Remember how far you have read. Remember how far you have read a session: pass last_seq of your last
   * get_messages as up_to_seq. get_session and list_sessions then count what is unread. It never goes back; without
   * up_to_seq everything counts as read, also what came since you last looked.
   *
   * Needs the permission `read`.
   */
  markRead(input: MarkReadInput, options?: CallOptions): Promise<MarkReadOutput> {
    return this.call('mark_read', input, options)
  }

  /**
   * Read your inbox. What is addressed to you or mentions you, in all sessions: unacknowledged first, then newest
   * first.
   *
   * Needs the permission `read`.
   */
  getInbox(input: GetInboxInput = {}, options?: CallOptions): Promise<GetInboxOutput> {
    return this.call('get_inbox', input, options)
  }

  /**
   * Wait for your inbox. Wait until your inbox holds something unacknowledged. To get each message once,
   * acknowledge it, or pass unread_only and mark_read.
   *
   * Needs the permission `read`.
   */
  waitForInbox(input: WaitForInboxInput = {}, options?: CallOptions): Promise<WaitForInboxOutput> {
    return this.call('wait_for_inbox', input, options)
  }

  /**
   * Acknowledge messages. Tell the senders of messages in your inbox that you take care of them.
   *
   * Needs the permission `write`.
   */
  ackMessages(input: AckMessagesInput, options?: CallOptions): Promise<AckMessagesOutput> {
    return this.call('ack_messages', input, options)
  }

  /**
   * See what became of a message. Who in to has got, read, acknowledged and answered a message. For its sender and
   * admins.
   *
   * Needs the permission `read`.
   */
  getReceipts(input: GetReceiptsInput, options?: CallOptions): Promise<GetReceiptsOutput> {
    return this.call('get_receipts', input, options)
  }

  /**
   * Ask and wait for the answer. Write a message to one agent and wait for its answer. Without session_id only you
   * two and admins see it.
   *
   * Needs the permission `write`.
   */
  ask(input: AskInput, options?: CallOptions): Promise<AskOutput> {
    return this.call('ask', input, options)
  }

  /**
   * Wait for an answer. Wait for the first answer to your message by those in its to, as when ask timed out.
   *
   * Needs the permission `read`.
   */
  waitForReply(input: WaitForReplyInput, options?: CallOptions): Promise<WaitForReplyOutput> {
    return this.call('wait_for_reply', input, options)
  }

  /**
   * List agents. The agents of the workspace: who waits now, and what they do.
   *
   * Needs the permission `read`.
   */
  listAgents(input: ListAgentsInput = {}, options?: CallOptions): Promise<ListAgentsOutput> {
    return this.call('list_agents', input, options)
  }

  /**
   * Say what you do. Say what you do now, as list_agents shows it.
   *
   * Needs the permission `write`.
   */
  setStatus(input: SetStatusInput, options?: CallOptions): Promise<SetStatusOutput> {
    return this.call('set_status', input, options)
  }

  /**
   * Search messages. Find messages by what they say, their sender or metadata, best first. Typing errors and
   * another order are forgiven; identifiers such as worker-1 must match.
   *
   * Needs the permission `read`.
   */
  searchContext(input: SearchContextInput, options?: CallOptions): Promise<SearchContextOutput> {
    return this.call('search_context', input, options)
  }

  /**
   * Search what is remembered. Find what you have stored by its key, its value or its metadata, best first, as
   * search_context finds messages. Searches everything of yours, with session_id one session, with namespace that
   * and all below it.
   *
   * Needs the permission `read`.
   */
  searchMemory(input: SearchMemoryInput, options?: CallOptions): Promise<SearchMemoryOutput> {
    return this.call('search_memory', input, options)
  }

  /**
   * Messages of an agent. The messages of one agent in a session that you may see, newest first.
   *
   * Needs the permission `read`.
   */
  searchBySender(input: SearchBySenderInput, options?: CallOptions): Promise<SearchBySenderOutput> {
    return this.call('search_by_sender', input, options)
  }

  /**
   * Messages of a time. The messages of a session written in a range of time, both ends included, that you may see;
   * oldest first. A date as end_time includes that whole day.
   *
   * Needs the permission `read`.
   */
  searchByTimerange(input: SearchByTimerangeInput, options?: CallOptions): Promise<SearchByTimerangeOutput> {
    return this.call('search_by_timerange', input, options)
  }

  /**
   * Remember a value. Store a value under a key: for yourself, globally or in a session, or in a namespace that
   * agents share.
   *
   * Needs the permission `write`.
   */
  setMemory(input: SetMemoryInput, options?: CallOptions): Promise<SetMemoryOutput> {
    return this.call('set_memory', input, options)
  }

  /**
   * Recall a value. Read a value that set_memory has stored.
   *
   * Needs the permission `read`.
   */
  getMemory(input: GetMemoryInput, options?: CallOptions): Promise<GetMemoryOutput> {
    return this.call('get_memory', input, options)
  }

  /**
   * List what is remembered. Stored keys, last updated first: your global ones, or those of a session or namespace.
   *
   * Needs the permission `read`.
   */
  listMemory(input: ListMemoryInput = {}, options?: CallOptions): Promise<ListMemoryOutput> {
    return this.call('list_memory', input, options)
  }

  /**
   * Forget values. Delete a value that was stored with set_memory, or all whose keys begin with prefix, in the same
   * place, also in a closed session; count says how many there were.
   *
   * Needs the permission `write`.
   */
  deleteMemory(input: DeleteMemoryInput = {}, options?: CallOptions): Promise<DeleteMemoryOutput> {
    return this.call('delete_memory', input, options)
  }

  /**
   * Change a value in place. Change a value so that no change of another agent is lost: increment adds value to a
   * number, append puts value at the end of a list (or a text behind a text), merge puts the fields of value into
   * an object. What is absent is 0, [] or {} before.
   *
   * Needs the permission `write`.
   */
  updateMemory(input: UpdateMemoryInput, options?: CallOptions): Promise<UpdateMemoryOutput> {
    return this.call('update_memory', input, options)
  }

  /**
   * Several operations on memory. Get, set, delete and list in one call, in their order. All or none: the first
   * error takes everything back. With atomic: false an error is the result of its operation alone.
   *
   * Needs the permission `write`.
   */
  batchMemory(input: BatchMemoryInput, options?: CallOptions): Promise<BatchMemoryOutput> {
    return this.call('batch_memory', input, options)
  }

  /**
   * Who changed a value, and when. The last 20 versions of a value, the current one first: what it was, who wrote
   * it, and when. They end with the value.
   *
   * Needs the permission `read`.
   */
  memoryHistory(input: MemoryHistoryInput, options?: CallOptions): Promise<MemoryHistoryOutput> {
    return this.call('memory_history', input, options)
  }

  /**
   * Say who shares a namespace. Say who may read and who may write a namespace of memory, and all below it. Makes
   * it, owned by you, if it is not there. Replaces both lists. For its owner and admins.
   *
   * Needs the permission `write`.
   */
  setNamespace(input: SetNamespaceInput, options?: CallOptions): Promise<SetNamespaceOutput> {
    return this.call('set_namespace', input, options)
  }

  /**
   * List shared namespaces. The namespaces of memory that you may read: those with rights of their own, and those
   * that hold values.
   *
   * Needs the permission `read`.
   */
  listNamespaces(input: ListNamespacesInput = {}, options?: CallOptions): Promise<ListNamespacesOutput> {
    return this.call('list_namespaces', input, options)
  }

  /**
   * Create a task. Hand out work that is done once: workers get it with claim_task when all that it depends on is
   * completed.
   *
   * Needs the permission `write`.
   */
  createTask(input: CreateTaskInput, options?: CallOptions): Promise<CreateTaskOutput> {
    return this.call('create_task', input, options)
  }

  /**
   * Create several tasks. Hand out a plan at once, all or none. depends_on also takes a ref of the call.
   *
   * Needs the permission `write`.
   */
  createTasks(input: CreateTasksInput, options?: CallOptions): Promise<CreateTasksOutput> {
    return this.call('create_tasks', input, options)
  }

  /**
   * List tasks. The tasks that you may see, newest first.
   *
   * Needs the permission `read`.
   */
  listTasks(input: ListTasksInput = {}, options?: CallOptions): Promise<ListTasksOutput> {
    return this.call('list_tasks', input, options)
  }

  /**
   * Read a task. One task as it is now, with its result, and what happened to it.
   *
   * Needs the permission `read`.
   */
  getTask(input: GetTaskInput, options?: CallOptions): Promise<GetTaskOutput> {
    return this.call('get_task', input, options)
  }

  /**
   * Claim a task. Get a task to work on: the next ready one by priority, then age, or the one you name. You alone
   * hold it until the lease expires; renew_task makes that later.
   *
   * Needs the permission `write`.
   */
  claimTask(input: ClaimTaskInput = {}, options?: CallOptions): Promise<ClaimTaskOutput> {
    return this.call('claim_task', input, options)
  }

  /**
   * Hold a task longer. Hold a task for lease_seconds from now on. Call it before lease.expires_at.
   *
   * Needs the permission `write`.
   */
  renewTask(input: RenewTaskInput, options?: CallOptions): Promise<RenewTaskOutput> {
    return this.call('renew_task', input, options)
  }

  /**
   * Complete a task. Say that a task which you hold is done, and what came of it.
   *
   * Needs the permission `write`.
   */
  completeTask(input: CompleteTaskInput, options?: CallOptions): Promise<CompleteTaskOutput> {
    return this.call('complete_task', input, options)
  }

  /**
   * Fail a task. Say that you could not do a task. Others may try again, up to max_attempts times; then what
   * depends on it is canceled.
   *
   * Needs the permission `write`.
   */
  failTask(input: FailTaskInput, options?: CallOptions): Promise<FailTaskOutput> {
    return this.call('fail_task', input, options)
  }

  /**
   * Hand a task over. Give a task back that you hold, with what the next one must know. Its creator and admins may
   * leave lease_token out, and then free it from whoever holds it.
   *
   * Needs the permission `write`.
   */
  releaseTask(input: ReleaseTaskInput, options?: CallOptions): Promise<ReleaseTaskOutput> {
    return this.call('release_task', input, options)
  }

  /**
   * Change a task. Change a task that is not done: for its creator, admins, and with lease_token its holder.
   *
   * Needs the permission `write`.
   */
  updateTask(input: UpdateTaskInput, options?: CallOptions): Promise<UpdateTaskOutput> {
    return this.call('update_task', input, options)
  }

  /**
   * Cancel a task. Call a task off, and all that depends on it. For its creator and admins.
   *
   * Needs the permission `write`.
   */
  cancelTask(input: CancelTaskInput, options?: CallOptions): Promise<CancelTaskOutput> {
    return this.call('cancel_task', input, options)
  }

  /**
   * Hold names. Hold names, all or none, so that nobody else holds them until you call release_lease or ttl_seconds
   * are over: a file, a branch, a customer. Pass token along with what you write where the lease protects it: it
   * grows with every holder. With wait_seconds (at most 25 over MCP, 55 over REST) it waits for names that others
   * hold.
   *
   * Needs the permission `write`.
   */
  acquireLease(input: AcquireLeaseInput, options?: CallOptions): Promise<AcquireLeaseOutput> {
    return this.call('acquire_lease', input, options)
  }

  /**
   * Hold names longer. Hold names that you hold for ttl_seconds from now on: all or none. Call it before
   * expires_at.
   *
   * Needs the permission `write`.
   */
  renewLease(input: RenewLeaseInput, options?: CallOptions): Promise<RenewLeaseOutput> {
    return this.call('renew_lease', input, options)
  }

  /**
   * Give names up. Give up names that you hold. What you do not hold any more is passed over. An admin may leave
   * token out, and then ends anybody's.
   *
   * Needs the permission `write`.
   */
  releaseLease(input: ReleaseLeaseInput, options?: CallOptions): Promise<ReleaseLeaseOutput> {
    return this.call('release_lease', input, options)
  }

  /**
   * List held names. Who holds which names, and until when, sorted by name.
   *
   * Needs the permission `read`.
   */
  listLeases(input: ListLeasesInput = {}, options?: CallOptions): Promise<ListLeasesOutput> {
    return this.call('list_leases', input, options)
  }

  /**
   * Export a session. Get a session with all its messages that you may see, as lines of JSON in their order: the
   * session, each message, and last how many there were. It comes in pages: pass next_cursor as cursor until
   * has_more is false, and write the ndjson of all pages one after the other into one file. What is written
   * meanwhile is left out. import_session reads it.
   *
   * Needs the permission `read`.
   */
  exportSession(input: ExportSessionInput, options?: CallOptions): Promise<ExportSessionOutput> {
    return this.call('export_session', input, options)
  }

  /**
   * Import a session. Make a session of what export_session wrote, here or on another server: a new session_id and
   * new message ids, the same order, senders, visibility, metadata, times and answers to each other. All of it or,
   * where a line is not right, nothing. For admins, since it speaks for others. What is larger than a request may
   * be is imported by the command `session import`.
   *
   * Needs the permission `admin`.
   */
  importSession(input: ImportSessionInput, options?: CallOptions): Promise<ImportSessionOutput> {
    return this.call('import_session', input, options)
  }

  /**
   * How to use this server. What you can do here and how, with examples; also before authentication.
   *
   * Needs no permission.
   */
  getUsageGuidance(input: GetUsageGuidanceInput = {}, options?: CallOptions): Promise<GetUsageGuidanceOutput> {
    return this.call('get_usage_guidance', input, options)
  }

  /**
   * Figures of the server. For the operator, with the shared ADMIN_API_KEY: what this replica has served since it
   * started, how long it took, its connection pool, and the size of the database. Admins of a workspace are
   * refused.
   *
   * Needs the permission `admin`.
   */
  getPerformanceMetrics(
    input: GetPerformanceMetricsInput = {},
    options?: CallOptions
  ): Promise<GetPerformanceMetricsOutput> {
    return this.call('get_performance_metrics', input, options)
  }

  /**
   * The last hour of all replicas. For the operator, with the shared ADMIN_API_KEY: every replica of the service,
   * and minute by minute of the last hour what all of them did together. Replicas write their figures every 30
   * seconds; one that has not done so for 75 seconds is not up. Admins of a workspace are refused.
   *
   * Needs the permission `admin`.
   */
  getServerHealth(input: GetServerHealthInput = {}, options?: CallOptions): Promise<GetServerHealthOutput> {
    return this.call('get_server_health', input, options)
  }

  /**
   * List workspaces. For the operator, with the shared ADMIN_API_KEY: every workspace that has or had something, by
   * name, with how much it holds, and the quotas of the server. A workspace begins with its first key, which
   * create_api_key makes. Admins of a workspace are refused.
   *
   * Needs the permission `admin`.
   */
  listWorkspaces(input: ListWorkspacesInput = {}, options?: CallOptions): Promise<ListWorkspacesOutput> {
    return this.call('list_workspaces', input, options)
  }

  /**
   * Read the audit log. For admins: what was written, by whom and when, and which credentials and permissions were
   * refused; newest first. Holds ids, never content. An admin limited to sessions sees what was done in these.
   *
   * Needs the permission `admin`.
   */
  getAuditLog(input: GetAuditLogInput = {}, options?: CallOptions): Promise<GetAuditLogOutput> {
    return this.call('get_audit_log', input, options)
  }

  /**
   * Verify the audit log. For admins: recomputes the chain over the audit log and its signed heads, and names the
   * first row that was altered, removed, moved or put in afterwards. A long log takes several calls, each with the
   * next_cursor of the one before.
   *
   * Needs the permission `admin`.
   */
  verifyAuditLog(input: VerifyAuditLogInput = {}, options?: CallOptions): Promise<VerifyAuditLogOutput> {
    return this.call('verify_audit_log', input, options)
  }

  /**
   * Delete a session. Delete a session for good, open or closed, with its messages and every agent's memory in it.
   * From then on it is SESSION_NOT_FOUND, and who waits for it or streams it is told. It cannot be taken back: to
   * only put it away call archive_session, to keep a copy call export_session first. For its creator and admins.
   *
   * Needs the permission `write`.
   */
  deleteSession(input: DeleteSessionInput, options?: CallOptions): Promise<DeleteSessionOutput> {
    return this.call('delete_session', input, options)
  }

  /**
   * Erase an agent. Erase what an agent has left: its tokens end, and its memory, read cursors and presence go at
   * once; its messages are deleted in the background, as by delete_message. Sessions it opened, and memory that it
   * shares, stay with a pseudonym in place of its name. The audit log keeps its rows, and tells when all is done.
   * What others wrote about it stays. Who comes with the same agent_id later begins anew.
   *
   * Needs the permission `admin`.
   */
  eraseAgent(input: EraseAgentInput, options?: CallOptions): Promise<EraseAgentOutput> {
    return this.call('erase_agent', input, options)
  }

  /**
   * See how long things are kept. For how many days this workspace keeps messages and closed sessions, and audit
   * rows, and whether that is its own setting or the server's.
   *
   * Needs the permission `admin`.
   */
  getRetention(input: GetRetentionInput = {}, options?: CallOptions): Promise<GetRetentionOutput> {
    return this.call('get_retention', input, options)
  }

  /**
   * Set how long things are kept. Set for how many days this workspace keeps messages, and closed or archived
   * sessions in which nothing has happened since. What is older is deleted for good within the hour, and from then
   * on as it comes of age. 0 keeps everything for ever; use_server_default: true gives up the workspace's own
   * setting. Memory is not touched, nor is the audit log: only the operator says how long that is kept.
   *
   * Needs the permission `admin`.
   */
  setRetention(input: SetRetentionInput = {}, options?: CallOptions): Promise<SetRetentionOutput> {
    return this.call('set_retention', input, options)
  }
}
