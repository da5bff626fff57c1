# Generated from the OpenAPI page by `npm run docs`; edit the tools in src/ of the server instead.
"""What a client must know of each tool to call it well."""

from typing import NamedTuple


class Tool(NamedTuple):
    """How a tool is called."""

    # Whether it is called once at most: its answer holds a secret, or it ends what a second call would need.
    once: bool = False
    # Whether it takes an idempotency_key.
    keyed: bool = False
    # The argument that says for how many seconds the call waits, and its default.
    wait: tuple[str, float] | None = None


# Arguments of which null is a value. For any other, null means that it is not given.
NULL_IS_VALUE = frozenset({"payload", "value", "result"})

TOOLS: dict[str, Tool] = {
    "authenticate_agent": Tool(once=True),
    "refresh_token": Tool(once=True),
    "revoke_token": Tool(once=True),
    "create_token": Tool(once=True),
    "create_api_key": Tool(once=True),
    "list_api_keys": Tool(),
    "revoke_api_key": Tool(keyed=True),
    "create_session": Tool(keyed=True),
    "get_session": Tool(),
    "list_sessions": Tool(),
    "update_session": Tool(keyed=True),
    "close_session": Tool(keyed=True),
    "archive_session": Tool(keyed=True),
    "add_message": Tool(keyed=True),
    "add_messages": Tool(keyed=True),
    "get_messages": Tool(),
    "set_message_visibility": Tool(keyed=True),
    "delete_message": Tool(keyed=True),
    "wait_for_messages": Tool(wait=("timeout_seconds", 4)),
    "mark_read": Tool(keyed=True),
    "get_inbox": Tool(),
    "wait_for_inbox": Tool(wait=("timeout_seconds", 20)),
    "ack_messages": Tool(keyed=True),
    "get_receipts": Tool(),
    "ask": Tool(keyed=True, wait=("timeout_seconds", 20)),
    "wait_for_reply": Tool(wait=("timeout_seconds", 20)),
    "list_agents": Tool(),
    "set_status": Tool(keyed=True),
    "search_context": Tool(),
    "search_memory": Tool(),
    "search_by_sender": Tool(),
    "search_by_timerange": Tool(),
    "set_memory": Tool(keyed=True),
    "get_memory": Tool(),
    "list_memory": Tool(),
    "delete_memory": Tool(keyed=True),
    "update_memory": Tool(keyed=True),
    "batch_memory": Tool(keyed=True),
    "memory_history": Tool(),
    "set_namespace": Tool(keyed=True),
    "list_namespaces": Tool(),
    "create_task": Tool(keyed=True),
    "create_tasks": Tool(keyed=True),
    "list_tasks": Tool(),
    "get_task": Tool(),
    "claim_task": Tool(wait=("wait_seconds", 0)),
    "renew_task": Tool(),
    "complete_task": Tool(),
    "fail_task": Tool(),
    "release_task": Tool(),
    "update_task": Tool(),
    "cancel_task": Tool(),
    "acquire_lease": Tool(wait=("wait_seconds", 0)),
    "renew_lease": Tool(),
    "release_lease": Tool(),
    "list_leases": Tool(),
    "export_session": Tool(),
    "import_session": Tool(keyed=True),
    "get_usage_guidance": Tool(),
    "get_performance_metrics": Tool(),
    "get_server_health": Tool(),
    "list_workspaces": Tool(),
    "get_audit_log": Tool(),
    "verify_audit_log": Tool(),
    "delete_session": Tool(keyed=True),
    "erase_agent": Tool(keyed=True),
    "get_retention": Tool(),
    "set_retention": Tool(keyed=True),
}
