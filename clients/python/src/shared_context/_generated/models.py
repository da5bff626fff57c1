# Generated from the OpenAPI page by `npm run docs`; edit the tools in src/ of the server instead.
"""The objects of the server's answers and arguments, as the dicts that they are."""

from typing import Any, Literal, TypedDict


class AuthenticateAgentAnswer(TypedDict):
    success: Literal[True]
    token: str
    token_type: Literal["Bearer"]
    agent_id: str
    agent_type: str
    permissions: list[str]
    # The only sessions it may see and write in; null: all
    sessions: list[str] | None
    issued_at: str
    expires_at: str
    # Seconds until it expires
    expires_in: int


class RevokeTokenAnswer(TypedDict):
    success: Literal[True]
    # How many tokens were revoked; with agent_id, those of an outside issuer are not counted
    revoked: int


class CreateApiKeyAnswer(TypedDict):
    success: Literal[True]
    # The key itself, shown this once
    api_key: str
    key_id: str
    workspace: str
    # The agent_id it is for; with * at its end, what agent_ids begin with
    agent_id: str
    agent_type: str
    permissions: list[str]
    # The only sessions it may see and write in; null: all
    sessions: list[str] | None
    created_at: str
    expires_at: str | None


class ApiKey(TypedDict):
    key_id: str
    workspace: str
    # The agent_id it is for; with * at its end, what agent_ids begin with
    agent_id: str
    agent_type: str
    permissions: list[str]
    # The only sessions it may see and write in; null: all
    sessions: list[str] | None
    created_at: str
    expires_at: str | None
    created_by: str | None
    created_with: str | None
    revoked_at: str | None


class ListApiKeysAnswer(TypedDict):
    success: Literal[True]
    keys: list[ApiKey]
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


class RevokeApiKeyAnswer(TypedDict):
    success: Literal[True]
    key_id: str
    # false: it had been revoked before
    revoked: bool


class _CreateSessionAnswer(TypedDict):
    success: Literal[True]
    session_id: str
    purpose: str
    created_by: str
    created_at: str
    metadata: dict[str, Any]
    key: str | None
    # false: it was there already, and is as it was
    created: bool
    is_active: bool


class CreateSessionAnswer(_CreateSessionAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class _Unread(TypedDict):
    # Messages by others that you may see and that came, or were shown to you, after last_read_seq
    messages: int
    # Those of them that mention you: @ and your agent_id
    mentions: int


class Unread(_Unread, total=False):
    messages_is_estimate: bool
    mentions_is_estimate: bool


class PresentAgent(TypedDict):
    agent_id: str
    agent_type: str
    last_seen_at: str


class _Session(TypedDict):
    id: str
    # The name by which create_session finds it; null: it has none
    key: str | None
    purpose: str
    metadata: dict[str, Any]
    created_by: str
    created_at: str
    updated_at: str
    is_active: bool
    # When it was archived; null: it is not
    archived_at: str | None
    # Messages you may see
    message_count: int
    last_activity: str
    # How far you have read, as you last told mark_read; 0 if you never did. What follows it is got with after_seq
    last_read_seq: int
    unread: Unread
    # Senders of messages you may see
    participants: list[str]
    # Agents that called something about the session within 5 minutes, the last one first, you among them; at most
    # 100
    present: list[PresentAgent]


class Session(_Session, total=False):
    message_count_is_estimate: bool


class _Message(TypedDict):
    id: int
    session_id: str
    # Its place in the order of the session's changes
    seq: int
    sender: str
    sender_type: str
    content: str
    visibility: Literal["public", "private", "agent_only", "direct", "admin_only"]
    metadata: dict[str, Any]
    parent_message_id: int | None
    timestamp: str


class Message(_Message, total=False):
    # Whom it is addressed to: agent_ids, or type:<agent_type>; if anybody
    to: list[str]
    # What it carries for programs, if anything
    payload: Any


class _GetSessionAnswer(TypedDict):
    success: Literal[True]
    session: Session
    messages: list[Message]
    # The same as session.message_count
    message_count: int


class GetSessionAnswer(_GetSessionAnswer, total=False):
    message_count_is_estimate: bool


class _SessionSummary(TypedDict):
    id: str
    # The name by which create_session finds it; null: it has none
    key: str | None
    purpose: str
    metadata: dict[str, Any]
    created_by: str
    created_at: str
    updated_at: str
    is_active: bool
    # When it was archived; null: it is not
    archived_at: str | None
    # Messages you may see
    message_count: int
    last_activity: str
    # How far you have read, as you last told mark_read; 0 if you never did. What follows it is got with after_seq
    last_read_seq: int
    unread: Unread


class SessionSummary(_SessionSummary, total=False):
    message_count_is_estimate: bool


class ListSessionsAnswer(TypedDict):
    success: Literal[True]
    sessions: list[SessionSummary]
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


class _UpdateSessionAnswer(TypedDict):
    success: Literal[True]
    session: Session


class UpdateSessionAnswer(_UpdateSessionAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class CloseSessionAnswer(TypedDict):
    success: Literal[True]
    session: Session


class Addressee(TypedDict):
    # As in to
    agent_id: str
    # Whether such an agent has called in the last 30 days
    known: bool
    last_seen_at: str | None
    # Whether it waits for messages, tasks or the like now
    waiting: bool


class _AddMessageAnswer(TypedDict):
    success: Literal[True]
    message_id: int
    seq: int
    timestamp: str
    session_id: str


class AddMessageAnswer(_AddMessageAnswer, total=False):
    # Whom the messages are addressed to
    addressed: list[Addressee]
    # The agents that the text mentions, by @ and name
    mentions: list[str]
    # Names after an @ that no agent of the workspace has
    unresolved_mentions: list[str]
    # What the sender should think of
    warnings: list[str]


class _AddMessagesAnswer(TypedDict):
    success: Literal[True]
    message_ids: list[int]
    count: int


class AddMessagesAnswer(_AddMessagesAnswer, total=False):
    # Whom the messages are addressed to
    addressed: list[Addressee]
    # The agents that the text mentions, by @ and name
    mentions: list[str]
    # Names after an @ that no agent of the workspace has
    unresolved_mentions: list[str]
    # What the sender should think of
    warnings: list[str]


class _MessageInput(TypedDict):
    # The text
    content: str


class MessageInput(_MessageInput, total=False):
    # Who may read it (default public)
    visibility: Literal["public", "private", "agent_only", "direct", "admin_only"]
    # Whose inboxes it is for: agent_ids, type:<agent_type>
    to: list[str]
    # Any JSON value, for programs
    payload: Any
    # Anything to filter and search by
    metadata: dict[str, Any]
    # The message it answers
    parent_message_id: int


class _GetMessagesAnswer(TypedDict):
    success: Literal[True]
    messages: list[Message]
    # Messages in this answer
    count: int
    # Messages that match sender, visibility and parent, in the whole session
    total_count: int
    has_more: bool
    # The next after_seq: the highest seq this answer has taken account of
    last_seq: int


class GetMessagesAnswer(_GetMessagesAnswer, total=False):
    total_count_is_estimate: bool


class SetMessageVisibilityAnswer(TypedDict):
    success: Literal[True]
    message: Message


class DeleteMessageAnswer(TypedDict):
    success: Literal[True]
    # true
    deleted: bool
    message_id: int
    session_id: str
    # The place of the deletion in the order of the session's changes
    seq: int


class WaitForMessagesTask(TypedDict):
    task_id: str
    title: str
    state: Literal["submitted", "working", "input_required", "completed", "failed", "canceled"]
    session_id: str | None
    to: list[str]
    created_by: str
    # Who holds it, or held it last
    assignee: str | None
    priority: int
    # How often it has failed, or its lease has ended
    attempts: int
    updated_at: str


class _WaitForMessagesAnswer(TypedDict):
    success: Literal[True]
    messages: list[Message]
    # Messages in this answer
    count: int
    # The next after_seq: the highest seq this answer has taken account of
    last_seq: int
    # true: nothing came before the time was up, or before the server stopped. Call again with last_seq as after_seq
    timed_out: bool
    # Whether there are more than limit; they come with the next call, at once
    has_more: bool
    # false: the session is closed, and nobody can write in it unless it is reopened
    is_active: bool


class WaitForMessagesAnswer(_WaitForMessagesAnswer, total=False):
    # Tasks of the session that have changed, as they are now; absent if none has, with sender, and with
    # mentions_only. get_task has the rest
    tasks: list[WaitForMessagesTask]


class MarkReadAnswer(TypedDict):
    success: Literal[True]
    session_id: str
    # How far you have read, as you last told mark_read; 0 if you never did. What follows it is got with after_seq
    last_read_seq: int
    unread: Unread


class _InboxMessage(TypedDict):
    id: int
    session_id: str
    # Its place in the order of the session's changes
    seq: int
    sender: str
    sender_type: str
    content: str
    visibility: Literal["public", "private", "agent_only", "direct", "admin_only"]
    metadata: dict[str, Any]
    parent_message_id: int | None
    timestamp: str
    # Whether you have marked it as read
    read: bool
    # Whether you have acknowledged it
    acked: bool


class InboxMessage(_InboxMessage, total=False):
    # Whom it is addressed to: agent_ids, or type:<agent_type>; if anybody
    to: list[str]
    # What it carries for programs, if anything
    payload: Any


class GetInboxAnswer(TypedDict):
    success: Literal[True]
    messages: list[InboxMessage]
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


class WaitForInboxAnswer(TypedDict):
    success: Literal[True]
    messages: list[InboxMessage]
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None
    # true: nothing came before the time was up: call again. false without messages: the session is closed
    timed_out: bool


class _AckMessagesAnswer(TypedDict):
    success: Literal[True]
    # Messages that are acknowledged now
    count: int


class AckMessagesAnswer(_AckMessagesAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class Receipt(TypedDict):
    agent_id: str
    # When the message first went to it
    delivered_at: str | None
    # When it marked the message as read
    read_at: str | None
    acked_at: str | None
    note: str | None
    # Its answers, by their ids
    reply_ids: list[int]


class GetReceiptsAnswer(TypedDict):
    success: Literal[True]
    receipts: list[Receipt]


class _AskAnswer(TypedDict):
    success: Literal[True]
    message_id: int
    session_id: str
    # The first answer; null if there is none yet
    reply: Message | None
    # true: no answer came in time: wait_for_reply goes on. false without a reply: the session is closed
    timed_out: bool


class AskAnswer(_AskAnswer, total=False):
    # Whom the messages are addressed to
    addressed: list[Addressee]
    # The agents that the text mentions, by @ and name
    mentions: list[str]
    # Names after an @ that no agent of the workspace has
    unresolved_mentions: list[str]
    # What the sender should think of
    warnings: list[str]


class WaitForReplyAnswer(TypedDict):
    success: Literal[True]
    message_id: int
    # The first answer; null if there is none yet
    reply: Message | None
    # true: no answer came in time: wait_for_reply goes on. false without a reply: the session is closed
    timed_out: bool


class Agent(TypedDict):
    agent_id: str
    agent_type: str
    # When it last called; written at most every 30 seconds
    last_seen_at: str
    # Whether a call of it waits now
    waiting: bool
    # What it says of itself with set_status
    status: str | None
    # Messages to it that it has not acknowledged and that you may see; counted up to 100
    inbox: int


class ListAgentsAnswer(TypedDict):
    success: Literal[True]
    agents: list[Agent]
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


class _SetStatusAnswer(TypedDict):
    success: Literal[True]
    agent_id: str
    status: str
    expires_at: str


class SetStatusAnswer(_SetStatusAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class SearchTerm(TypedDict):
    term: str
    # How much the word counts: the rarer, the more
    weight: float
    # How well it stands in the message, 0 to 1
    met: float


class _SearchResult(TypedDict):
    message: Message
    # 0 to 100; 100 is an exact match
    score: float
    # The part of the content around the match
    match_preview: str
    relevance: Literal["high", "medium", "low"]


class SearchResult(_SearchResult, total=False):
    # With context: what came before it, oldest first
    before: list[Message]
    # With context: what came after it, oldest first
    after: list[Message]
    # With explain: the words of the query
    terms: list[SearchTerm]


class _SearchContextAnswer(TypedDict):
    success: Literal[True]
    results: list[SearchResult]
    query: str
    threshold: float
    search_scope: str
    # How many results
    message_count: int
    # Whether something may have been left out: too much met the query or is still to be indexed, or it took too
    # long
    partial: bool
    search_time_ms: float


class SearchContextAnswer(_SearchContextAnswer, total=False):
    # With max_tokens: whether results were left out for it
    truncated: bool
    # Whether an answer has no room for the other results
    has_more: bool


class MemoryResult(TypedDict):
    key: str
    scope: Literal["session", "global", "namespace"]
    namespace: str | None
    session_id: str | None
    value: Any
    # 0 to 100; 100 is an exact match
    score: float
    updated_at: str


class SearchMemoryAnswer(TypedDict):
    success: Literal[True]
    results: list[MemoryResult]
    query: str
    threshold: float
    count: int
    # Whether you have stored more than one search looks at
    partial: bool


class SearchBySenderAnswer(TypedDict):
    success: Literal[True]
    messages: list[Message]
    sender: str
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


class Timerange(TypedDict):
    start: str
    end: str


class SearchByTimerangeAnswer(TypedDict):
    success: Literal[True]
    messages: list[Message]
    timerange: Timerange
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


class _SetMemoryAnswer(TypedDict):
    success: Literal[True]
    key: str
    scope: Literal["session", "global", "namespace"]
    namespace: str | None
    session_scoped: bool
    stored_at: str
    expires_at: str | None
    # Larger than every earlier one of the key; not one more
    version: int


class SetMemoryAnswer(_SetMemoryAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class GetMemoryAnswer(TypedDict):
    success: Literal[True]
    key: str
    scope: Literal["session", "global", "namespace"]
    namespace: str | None
    version: int
    value: Any
    metadata: dict[str, Any]
    created_at: str
    updated_at: str
    # Who wrote it last
    updated_by: str
    expires_at: str | None


class _MemoryEntry(TypedDict):
    key: str
    scope: Literal["session", "global", "namespace"]
    namespace: str | None
    version: int
    session_id: str | None
    # Bytes of the value as JSON
    value_size: int
    created_at: str
    updated_at: str
    # Who wrote it last
    updated_by: str
    expires_at: str | None


class MemoryEntry(_MemoryEntry, total=False):
    value: Any


class ListMemoryAnswer(TypedDict):
    success: Literal[True]
    entries: list[MemoryEntry]
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None
    # "global", "all", the session, or the namespace
    scope_filter: str


class DeleteMemoryAnswer(TypedDict):
    success: Literal[True]
    deleted: bool
    # How many values were there
    count: int


class _UpdateMemoryAnswer(TypedDict):
    success: Literal[True]
    key: str
    scope: Literal["session", "global", "namespace"]
    namespace: str | None
    value: Any
    version: int
    expires_at: str | None


class UpdateMemoryAnswer(_UpdateMemoryAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class MemoryKey(TypedDict):
    key: str
    version: int
    value_size: int
    updated_at: str
    updated_by: str
    expires_at: str | None


class _OperationResult(TypedDict):
    op: str
    # false: error says why
    ok: bool


class OperationResult(_OperationResult, total=False):
    key: str
    found: bool
    value: Any
    metadata: dict[str, Any]
    version: int
    stored_at: str
    created_at: str
    updated_at: str
    updated_by: str
    expires_at: str | None
    deleted: bool
    entries: list[MemoryKey]
    count: int
    has_more: bool
    error: dict[str, Any]


class _BatchMemoryAnswer(TypedDict):
    success: Literal[True]
    # In the order of the operations
    results: list[OperationResult]
    count: int
    # Whether the answer has no room for the last results; what they wrote is written
    has_more: bool


class BatchMemoryAnswer(_BatchMemoryAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class _OperationInput(TypedDict):
    # What it does
    op: Literal["get", "set", "delete", "list"]


class OperationInput(_OperationInput, total=False):
    """Like get_memory, set_memory, delete_memory or list_memory"""

    # Its name
    key: str
    # With set: any JSON value
    value: Any
    # With list or delete: how the keys begin
    prefix: str
    # A session; without: global
    session_id: str
    # Shared memory
    namespace: str
    # With set or delete: only if it has this version
    if_version: int
    # Seconds; 0: for ever (default 0)
    expires_in: int
    # Anything about the value
    metadata: dict[str, Any]
    # false: KEY_EXISTS if there is one (default true)
    overwrite: bool
    # With list: how many at most (default 50)
    limit: int


class MemoryVersion(TypedDict):
    version: int
    value: Any
    changed_by: str
    changed_at: str


class MemoryHistoryAnswer(TypedDict):
    success: Literal[True]
    key: str
    scope: Literal["session", "global", "namespace"]
    namespace: str | None
    versions: list[MemoryVersion]
    count: int
    # Whether more are kept than this answer holds
    has_more: bool


class SetNamespaceAnswer(TypedDict):
    success: Literal[True]
    namespace: str
    owner: str
    readers: list[str]
    writers: list[str]
    created: bool


class Namespace(TypedDict):
    namespace: str
    # Null: it has no rights of its own, but those from above
    owner: str | None
    readers: list[str]
    writers: list[str]


class ListNamespacesAnswer(TypedDict):
    success: Literal[True]
    namespaces: list[Namespace]
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


class Task(TypedDict):
    task_id: str
    title: str
    description: str
    state: Literal["submitted", "working", "input_required", "completed", "failed", "canceled"]
    session_id: str | None
    to: list[str]
    depends_on: list[str]
    priority: int
    # How often it has failed, or its lease has ended
    attempts: int
    max_attempts: int
    lease_seconds: int
    created_by: str
    # Who holds it, or held it last
    assignee: str | None
    # What complete_task brought; null until then
    result: Any
    # Why it failed the last time
    error: str | None
    # What the last one who released it wants the next one to know
    note: str | None
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class _CreateTaskAnswer(TypedDict):
    success: Literal[True]
    task: Task


class CreateTaskAnswer(_CreateTaskAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class _CreateTasksAnswer(TypedDict):
    success: Literal[True]
    tasks: list[Task]
    count: int


class CreateTasksAnswer(_CreateTasksAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class _TaskInput(TypedDict):
    # What to do, in a line
    title: str


class TaskInput(_TaskInput, total=False):
    # Its name in this call
    ref: str
    # All that it takes
    description: str
    # A session; without: the workspace
    session_id: str
    # Who alone may see and claim it: agent_ids, type:<agent_type>
    to: list[str]
    # What must be completed before: task_ids, refs
    depends_on: list[str]
    # Higher ones go first (default 0)
    priority: int
    # Most tries (default 3)
    max_attempts: int
    # Seconds a claim lasts (default 300)
    lease_seconds: int
    # Anything about the task
    metadata: dict[str, Any]


class ListTasksAnswer(TypedDict):
    success: Literal[True]
    tasks: list[Task]
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


TaskStep = TypedDict(
    "TaskStep",
    {
        "at": str,
        "agent_id": str | None,
        "from": str | None,
        "to": Literal["submitted", "working", "input_required", "completed", "failed", "canceled"],
        "note": str | None,
    },
)


class GetTaskAnswer(TypedDict):
    success: Literal[True]
    task: Task
    # Oldest first
    history: list[TaskStep]


class TaskLease(TypedDict):
    """Your hold on the task"""

    # Proves that you hold the task; grows with every claim
    token: int
    # When the task goes back, by the clock of the database
    expires_at: str


class ClaimTaskAnswer(TypedDict):
    success: Literal[True]
    # The task; null if there is none
    task: Task | None
    # Your hold on it; null without a task
    lease: TaskLease | None
    # true: you waited, and no task was ready: call again. false: none can become ready, or you did not wait
    timed_out: bool


class RenewTaskAnswer(TypedDict):
    success: Literal[True]
    # Your hold on the task
    lease: TaskLease


class HeldLease(TypedDict):
    name: str
    # Larger than that of everybody who held the name before
    token: int
    # When it ends by itself, by the clock of the database
    expires_at: str


class _AcquireLeaseAnswer(TypedDict):
    success: Literal[True]
    leases: list[HeldLease]


class AcquireLeaseAnswer(_AcquireLeaseAnswer, total=False):
    # What the sender should think of; absent if there is nothing
    warnings: list[str]


class RenewLeaseAnswer(TypedDict):
    success: Literal[True]
    leases: list[HeldLease]


class _LeaseInput(TypedDict):
    # The name: anything that agents agree on
    name: str
    # Its token, as acquire_lease returned it
    token: int


class LeaseInput(_LeaseInput, total=False):
    """A lease"""

    # Not needed, and not read
    expires_at: str


class ReleaseLeaseAnswer(TypedDict):
    success: Literal[True]
    # The names that were held until now
    released: list[str]
    count: int


class _ReleasedLeaseInput(TypedDict):
    # The name: anything that agents agree on
    name: str


class ReleasedLeaseInput(_ReleasedLeaseInput, total=False):
    """A lease"""

    # Its token, as acquire_lease returned it
    token: int
    # Not needed, and not read
    expires_at: str


class ListedLease(TypedDict):
    name: str
    holder: str
    # What for, as the holder said
    purpose: str | None
    expires_at: str


class ListLeasesAnswer(TypedDict):
    success: Literal[True]
    leases: list[ListedLease]
    count: int
    has_more: bool


class ExportSessionAnswer(TypedDict):
    success: Literal[True]
    session_id: str
    # Lines, each ended by a line break
    ndjson: str
    # Messages in this answer
    count: int
    has_more: bool
    next_cursor: str | None


class _ImportSessionAnswer(TypedDict):
    success: Literal[True]
    session_id: str
    message_count: int


class ImportSessionAnswer(_ImportSessionAnswer, total=False):
    # What the sender should think of
    warnings: list[str]


class AgentInfo(TypedDict):
    agent_id: str
    agent_type: str
    permissions: list[str]


class GuidanceTool(TypedDict):
    name: str
    title: str


class _Guidance(TypedDict):
    topic: str
    advice: list[str]
    # What you may call
    tools: list[GuidanceTool]


class Guidance(_Guidance, total=False):
    errors: dict[str, Any]


class GuidanceExample(TypedDict):
    tool: str
    arguments: dict[str, Any]
    purpose: str


class GetUsageGuidanceAnswer(TypedDict):
    success: Literal[True]
    # none, read, write or admin
    access_level: str
    agent_info: AgentInfo | None
    guidance: Guidance
    examples: list[GuidanceExample]


class Pool(TypedDict):
    total: int
    idle: int
    waiting: int
    max: int


class ToolMetrics(TypedDict):
    tool: str
    success: int
    error: int
    # Milliseconds
    p50_ms: float
    # Milliseconds
    p95_ms: float
    # Milliseconds
    p99_ms: float


class Database(TypedDict):
    size_bytes: int
    # As of the last analysis by PostgreSQL
    estimated_rows: dict[str, Any]


class Process(TypedDict):
    resident_bytes: int
    heap_used_bytes: int


class GetPerformanceMetricsAnswer(TypedDict):
    success: Literal[True]
    # The replica that answered; counts and latencies are its own
    replica: str
    version: str
    started_at: str
    uptime_seconds: float
    pool: Pool
    tools: list[ToolMetrics]
    database: Database
    process: Process


class Connections(TypedDict):
    """To the database, and calls that wait for one"""

    in_use: int
    waiting: int
    max: int


class Replica(TypedDict):
    replica: str
    version: str
    started_at: str
    seen_at: str
    # false: it was killed, or does not reach the database
    is_up: bool
    # A second
    calls_per_second: float
    # To the database, and calls that wait for one
    connections: Connections
    # poll: hints of changes do not arrive, and the database is asked every 250 ms
    event_hints: Literal["listen", "poll"]
    resident_bytes: int


class Minute(TypedDict):
    minute: str
    replicas: int
    # A second
    calls_per_second: float
    # A second
    errors_per_second: float
    # Milliseconds
    p50_ms: float
    # Milliseconds
    p95_ms: float
    # Milliseconds
    p99_ms: float
    connections_in_use: int
    # Calls that wait for a connection
    calls_waiting: int
    resident_bytes: int
    # Messages that the search index does not hold yet
    search_waiting: int
    database_bytes: int


class GetServerHealthAnswer(TypedDict):
    success: Literal[True]
    replicas: list[Replica]
    # From the oldest to the newest. Without the argument tool, the latencies leave out tools that wait for others
    minutes: list[Minute]
    # Each tool that was called within the hour
    tools: list[ToolMetrics]


class LargestSession(TypedDict):
    """The most of one session"""

    # Messages, and later changes of them
    session_messages: int
    # Bytes ever written into sessions
    session_bytes: int


class LargestMemory(TypedDict):
    """The most of one agent or namespace"""

    memory_entries: int
    memory_bytes: int


class Workspace(TypedDict):
    workspace: str
    sessions: int
    # Messages, and later changes of them
    session_messages: int
    # Bytes ever written into sessions
    session_bytes: int
    # The most of one session
    largest_session: LargestSession
    memory_entries: int
    memory_bytes: int
    # The most of one agent or namespace
    largest_memory: LargestMemory
    # Agents that have called
    agents: int
    last_seen_at: str | None
    # Keys that are valid
    api_keys: int
    # Days that messages are kept; 0: for ever
    retention_days: int


class Quotas(TypedDict):
    """The most that there may be; 0: any amount"""

    # Of a workspace
    sessions: int
    # Of a session
    session_messages: int
    # Of a session
    session_bytes: int
    # Of an agent
    memory_entries: int
    # Of an agent
    memory_bytes: int
    # Of a workspace, that are not done
    tasks: int


class ListWorkspacesAnswer(TypedDict):
    success: Literal[True]
    workspaces: list[Workspace]
    # The most that there may be; 0: any amount
    quotas: Quotas
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


class AuditEntry(TypedDict):
    id: int
    timestamp: str
    event_type: str
    agent_id: str | None
    session_id: str | None
    # The tool that was called
    action: str
    resource: str | None
    result: str
    request_id: str
    metadata: dict[str, Any]


class GetAuditLogAnswer(TypedDict):
    success: Literal[True]
    entries: list[AuditEntry]
    # Items in this answer
    count: int
    has_more: bool
    # Pass it as cursor for the next page; null: there is none
    next_cursor: str | None


class AuditFault(TypedDict):
    # altered, missing, reordered or forged (put in afterwards) of a row; head or beginning of a signature that does
    # not fit; key: signed with a key that the server does not have
    kind: str
    seq: int | None
    audit_id: int | None
    explanation: str


class AuditHead(TypedDict):
    seq: int
    signed_at: str


class VerifyAuditLogAnswer(TypedDict):
    success: Literal[True]
    # intact: all that is chained is as it was written. unfinished: so far; call again with next_cursor. faulty: see
    # fault. off: the server has no key for a chain
    state: Literal["intact", "faulty", "unfinished", "off"]
    fault: None | AuditFault
    # Where the chain begins; above 1 once old rows have been dropped
    first_seq: int
    # How far this call came
    last_seq: int
    rows_checked: int
    heads_checked: int
    last_head: None | AuditHead
    # Rows too young to have a place in the chain; counted when the end is reached
    not_yet_chained: int
    has_more: bool
    next_cursor: str | None


class DeleteSessionAnswer(TypedDict):
    success: Literal[True]
    # true
    deleted: bool
    session_id: str


class EraseAgentAnswer(TypedDict):
    success: Literal[True]
    agent_id: str
    # What stands in its place from now on
    pseudonym: str
    revoked_tokens: int
    # Values it had stored
    deleted_memory: int


class GetRetentionAnswer(TypedDict):
    success: Literal[True]
    # Days that messages and closed sessions are kept; 0: for ever
    days: int
    # Whether the workspace has a setting of its own, or follows the server's
    source: Literal["workspace", "server"]
    # The server's own setting
    server_days: int
    # Days that audit rows are kept; 0: for ever. Only the operator can change it
    audit_days: int
    # The same of audit rows
    audit_source: Literal["workspace", "server"]
