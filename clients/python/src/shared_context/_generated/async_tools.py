# Generated from the OpenAPI page by `npm run docs`; edit the tools in src/ of the server instead.
"""A method for each tool of the server."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, cast

from .._not_given import NOT_GIVEN
from .models import (
    AckMessagesAnswer,
    AcquireLeaseAnswer,
    AddMessageAnswer,
    AddMessagesAnswer,
    Agent,
    ApiKey,
    AskAnswer,
    AuditEntry,
    AuthenticateAgentAnswer,
    BatchMemoryAnswer,
    ClaimTaskAnswer,
    CloseSessionAnswer,
    CreateApiKeyAnswer,
    CreateSessionAnswer,
    CreateTaskAnswer,
    CreateTasksAnswer,
    DeleteMemoryAnswer,
    DeleteMessageAnswer,
    DeleteSessionAnswer,
    EraseAgentAnswer,
    ExportSessionAnswer,
    GetAuditLogAnswer,
    GetInboxAnswer,
    GetMemoryAnswer,
    GetMessagesAnswer,
    GetPerformanceMetricsAnswer,
    GetReceiptsAnswer,
    GetRetentionAnswer,
    GetServerHealthAnswer,
    GetSessionAnswer,
    GetTaskAnswer,
    GetUsageGuidanceAnswer,
    ImportSessionAnswer,
    InboxMessage,
    LeaseInput,
    ListAgentsAnswer,
    ListApiKeysAnswer,
    ListLeasesAnswer,
    ListMemoryAnswer,
    ListNamespacesAnswer,
    ListSessionsAnswer,
    ListTasksAnswer,
    ListWorkspacesAnswer,
    MarkReadAnswer,
    MemoryEntry,
    MemoryHistoryAnswer,
    Message,
    MessageInput,
    Namespace,
    OperationInput,
    ReleaseLeaseAnswer,
    ReleasedLeaseInput,
    RenewLeaseAnswer,
    RenewTaskAnswer,
    RevokeApiKeyAnswer,
    RevokeTokenAnswer,
    SearchBySenderAnswer,
    SearchByTimerangeAnswer,
    SearchContextAnswer,
    SearchMemoryAnswer,
    SessionSummary,
    SetMemoryAnswer,
    SetMessageVisibilityAnswer,
    SetNamespaceAnswer,
    SetStatusAnswer,
    Task,
    TaskInput,
    UpdateMemoryAnswer,
    UpdateSessionAnswer,
    VerifyAuditLogAnswer,
    WaitForInboxAnswer,
    WaitForMessagesAnswer,
    WaitForReplyAnswer,
    Workspace,
)


class AsyncToolMethods:
    """The tools of the server, one method each. Whoever inherits it says how a tool is called."""

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def pages(self, tool: str, field: str, arguments: Mapping[str, Any]) -> AsyncIterator[Any]:
        raise NotImplementedError

    async def authenticate_agent(
        self,
        *,
        agent_id: str,
        agent_type: str,
        api_key: str | None = None,
        requested_permissions: list[str] | None = None,
        sessions: list[str] | None = None,
        expires_in: int | None = None,
        switch: bool | None = None,
    ) -> AuthenticateAgentAnswer:
        """Exchange an API key for a token; call this first. Send it as Authorization: Bearer <token> or as auth_token;
        an MCP connection of 2025 then needs neither.

        Needs: no permission.

        Args:
            agent_id: Your name
            agent_type: Such as claude or reviewer
            api_key: Your API key, unless X-API-Key has it
            requested_permissions: Of read, write, admin (default read and write)
            sessions: The only sessions it is for
            expires_in: Seconds; 0: as long as it may (default 0)
            switch: MCP: be another agent than the connection (default false)
        """
        return cast(AuthenticateAgentAnswer, await self.call("authenticate_agent", {
            "agent_id": agent_id,
            "agent_type": agent_type,
            "api_key": api_key,
            "requested_permissions": requested_permissions,
            "sessions": sessions,
            "expires_in": expires_in,
            "switch": switch,
        }))

    async def refresh_token(
        self,
        *,
        current_token: str | None = None,
    ) -> AuthenticateAgentAnswer:
        """Exchange a token, before expires_at, for a new one; the old one ends.

        Needs: no permission.

        Args:
            current_token: Left out: your own
        """
        return cast(AuthenticateAgentAnswer, await self.call("refresh_token", {
            "current_token": current_token,
        }))

    async def revoke_token(
        self,
        *,
        token: str | None = None,
        agent_id: str | None = None,
    ) -> RevokeTokenAnswer:
        """End a token and those made from it. With agent_id, an admin ends all of an agent.

        Needs: no permission.

        Args:
            token: Left out: your own
            agent_id: Whose tokens; admins only
        """
        return cast(RevokeTokenAnswer, await self.call("revoke_token", {
            "token": token,
            "agent_id": agent_id,
        }))

    async def create_token(
        self,
        *,
        agent_id: str | None = None,
        permissions: list[Literal["read", "write", "admin"]] | None = None,
        sessions: list[str] | None = None,
        expires_in: int | None = None,
    ) -> AuthenticateAgentAnswer:
        """Make a narrower token from yours, for a helper. It ends with yours.

        Needs: no permission.

        Args:
            agent_id: Yours, yours/ and a name, or another name of your key
            permissions: What it may do
            sessions: The only sessions it is for
            expires_in: Seconds; 0: as long as yours (default 0)
        """
        return cast(AuthenticateAgentAnswer, await self.call("create_token", {
            "agent_id": agent_id,
            "permissions": permissions,
            "sessions": sessions,
            "expires_in": expires_in,
        }))

    async def create_api_key(
        self,
        *,
        agent_id: str,
        agent_type: str,
        permissions: list[Literal["read", "write", "admin"]] | None = None,
        sessions: list[str] | None = None,
        expires_in: int | None = None,
        workspace: str | None = None,
    ) -> CreateApiKeyAnswer:
        """For admins: make an API key for one agent, or for all whose names begin alike, with what it may do and in
        which sessions. The key is shown once, in this answer, and kept nowhere: give it to the agent, which uses it
        as api_key of authenticate_agent or as X-API-Key.

        Needs: the permission `admin`.

        Args:
            agent_id: Whom it is for: an agent_id, or the beginning of several and a *, such as research-*
            agent_type: The type of these agents
            permissions: What they may do (default read and write)
            sessions: The only sessions they may see and write in; left out: all you may
            expires_in: Seconds until it ends; 0: as late as yours does, or never (default 0)
            workspace: Another workspace than your own: for the operator alone, who has the shared ADMIN_API_KEY.
                One that is new begins with its first key
        """
        return cast(CreateApiKeyAnswer, await self.call("create_api_key", {
            "agent_id": agent_id,
            "agent_type": agent_type,
            "permissions": permissions,
            "sessions": sessions,
            "expires_in": expires_in,
            "workspace": workspace,
        }))

    async def list_api_keys(
        self,
        *,
        include_revoked: bool | None = None,
        workspace: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ListApiKeysAnswer:
        """For admins: the API keys that were made for agents, newest first: whom each is for, what it may do, who made
        it and when it ends. Never the keys themselves.

        Needs: the permission `admin`.

        Args:
            include_revoked: true: also those that were revoked or have expired (default false)
            workspace: Another workspace than your own: for the operator alone, who has the shared ADMIN_API_KEY
            limit: How many (default 50)
            cursor: The last next_cursor
        """
        return cast(ListApiKeysAnswer, await self.call("list_api_keys", {
            "include_revoked": include_revoked,
            "workspace": workspace,
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_api_keys(
        self,
        *,
        include_revoked: bool | None = None,
        workspace: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[ApiKey]:
        """Goes through all pages of list_api_keys, one item at a time.

        limit is the number of items in one page.

        Args:
            include_revoked: true: also those that were revoked or have expired (default false)
            workspace: Another workspace than your own: for the operator alone, who has the shared ADMIN_API_KEY
            limit: How many (default 50)
        """
        return self.pages("list_api_keys", "keys", {
            "include_revoked": include_revoked,
            "workspace": workspace,
            "limit": limit,
        })

    async def revoke_api_key(
        self,
        *,
        key_id: str,
        workspace: str | None = None,
        idempotency_key: str | None = None,
    ) -> RevokeApiKeyAnswer:
        """For admins: end an API key before its time, and with it every token that was made with it and whatever is
        open under these. Every replica refuses it within 2 seconds. Keys that were made with it stay.

        Needs: the permission `admin`.

        Args:
            key_id: The key, as create_api_key or list_api_keys named it
            workspace: Another workspace than your own: for the operator alone, who has the shared ADMIN_API_KEY
            idempotency_key: Repeats with it happen once
        """
        return cast(RevokeApiKeyAnswer, await self.call("revoke_api_key", {
            "key_id": key_id,
            "workspace": workspace,
            "idempotency_key": idempotency_key,
        }))

    async def create_session(
        self,
        *,
        purpose: str,
        metadata: dict[str, Any] | None = None,
        key: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreateSessionAnswer:
        """Open a session in which agents work together. With key: the session of that key, opened if there is none.

        Needs: the permission `write`.

        Args:
            purpose: What it is for, in a sentence
            metadata: Anything to filter and search by
            key: A unique name for it
            idempotency_key: Repeats with it happen once
        """
        return cast(CreateSessionAnswer, await self.call("create_session", {
            "purpose": purpose,
            "metadata": metadata,
            "key": key,
            "idempotency_key": idempotency_key,
        }))

    async def get_session(
        self,
        *,
        session_id: str,
        message_limit: int | None = None,
    ) -> GetSessionAnswer:
        """A session: its newest messages first, who takes part, and how many messages you may see.

        Needs: the permission `read`.

        Args:
            session_id: The session
            message_limit: How many (default 50)
        """
        return cast(GetSessionAnswer, await self.call("get_session", {
            "session_id": session_id,
            "message_limit": message_limit,
        }))

    async def list_sessions(
        self,
        *,
        created_by: str | None = None,
        active: bool | None = None,
        archived: bool | None = None,
        query: str | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ListSessionsAnswer:
        """Find sessions, newest first; archived ones only with archived.

        Needs: the permission `read`.

        Args:
            created_by: Who opened it
            active: true: open ones; false: closed ones
            archived: true: only archived ones (default false)
            query: What its purpose is about
            metadata_filter: What its metadata contains
            limit: How many (default 50)
            cursor: The last next_cursor
        """
        return cast(ListSessionsAnswer, await self.call("list_sessions", {
            "created_by": created_by,
            "active": active,
            "archived": archived,
            "query": query,
            "metadata_filter": metadata_filter,
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_sessions(
        self,
        *,
        created_by: str | None = None,
        active: bool | None = None,
        archived: bool | None = None,
        query: str | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[SessionSummary]:
        """Goes through all pages of list_sessions, one item at a time.

        limit is the number of items in one page.

        Args:
            created_by: Who opened it
            active: true: open ones; false: closed ones
            archived: true: only archived ones (default false)
            query: What its purpose is about
            metadata_filter: What its metadata contains
            limit: How many (default 50)
        """
        return self.pages("list_sessions", "sessions", {
            "created_by": created_by,
            "active": active,
            "archived": archived,
            "query": query,
            "metadata_filter": metadata_filter,
            "limit": limit,
        })

    async def update_session(
        self,
        *,
        session_id: str,
        purpose: str | None = None,
        metadata: dict[str, Any] | None = None,
        is_active: bool | None = None,
        idempotency_key: str | None = None,
    ) -> UpdateSessionAnswer:
        """Change a session's purpose or metadata (which is replaced as a whole), close it with is_active: false, or
        reopen it with is_active: true, which also takes it out of the archive. For its creator and admins. A closed
        session can be read, not written.

        Needs: the permission `write`.

        Args:
            session_id: The session
            purpose: The new purpose
            metadata: The new metadata, in place of all of the old
            is_active: false closes the session, true reopens it
            idempotency_key: Repeats with it happen once
        """
        return cast(UpdateSessionAnswer, await self.call("update_session", {
            "session_id": session_id,
            "purpose": purpose,
            "metadata": metadata,
            "is_active": is_active,
            "idempotency_key": idempotency_key,
        }))

    async def close_session(
        self,
        *,
        session_id: str,
        idempotency_key: str | None = None,
    ) -> CloseSessionAnswer:
        """Close a session when its work is done: it can still be read and searched, not written. For its creator and
        admins. Closing it again changes nothing; update_session with is_active: true reopens it.

        Needs: the permission `write`.

        Args:
            session_id: The session
            idempotency_key: Repeats with it happen once
        """
        return cast(CloseSessionAnswer, await self.call("close_session", {
            "session_id": session_id,
            "idempotency_key": idempotency_key,
        }))

    async def archive_session(
        self,
        *,
        session_id: str,
        idempotency_key: str | None = None,
    ) -> CloseSessionAnswer:
        """Put a session away: it is closed, and left out of list_sessions and of a search_context without session_id.
        Whoever has its session_id can still read and search it, and list_sessions with archived: true lists it. For
        its creator and admins. To take it back, reopen it: update_session with is_active: true.

        Needs: the permission `write`.

        Args:
            session_id: The session
            idempotency_key: Repeats with it happen once
        """
        return cast(CloseSessionAnswer, await self.call("archive_session", {
            "session_id": session_id,
            "idempotency_key": idempotency_key,
        }))

    async def add_message(
        self,
        *,
        session_id: str,
        content: str,
        visibility: Literal["public", "private", "agent_only", "direct", "admin_only"] | None = None,
        to: list[str] | None = None,
        payload: Any = NOT_GIVEN,
        metadata: dict[str, Any] | None = None,
        parent_message_id: int | None = None,
        idempotency_key: str | None = None,
    ) -> AddMessageAnswer:
        """Write a message. visibility: public (everyone), private (you), agent_only (your agent_type), direct (you and
        to), admin_only (admins, who alone write it).

        Needs: the permission `write`.

        Args:
            session_id: The session
            content: The text
            visibility: Who may read it (default public)
            to: Whose inboxes it is for: agent_ids, type:<agent_type>
            payload: Any JSON value, for programs
            metadata: Anything to filter and search by
            parent_message_id: The message it answers
            idempotency_key: Repeats with it happen once
        """
        return cast(AddMessageAnswer, await self.call("add_message", {
            "session_id": session_id,
            "content": content,
            "visibility": visibility,
            "to": to,
            "payload": payload,
            "metadata": metadata,
            "parent_message_id": parent_message_id,
            "idempotency_key": idempotency_key,
        }))

    async def add_messages(
        self,
        *,
        session_id: str,
        messages: list[MessageInput],
        idempotency_key: str | None = None,
    ) -> AddMessagesAnswer:
        """Write up to 100 messages into a session at once, in the order given: all of them or, if one is refused,
        none.

        Needs: the permission `write`.

        Args:
            session_id: The session
            messages: The messages, each as for add_message
            idempotency_key: Repeats with it happen once
        """
        return cast(AddMessagesAnswer, await self.call("add_messages", {
            "session_id": session_id,
            "messages": messages,
            "idempotency_key": idempotency_key,
        }))

    async def get_messages(
        self,
        *,
        session_id: str,
        limit: int | None = None,
        offset: int | None = None,
        after_seq: int | None = None,
        before_seq: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        visibility_filter: Literal["public", "private", "agent_only", "direct", "admin_only"] | None = None,
        sender: str | None = None,
        parent_message_id: int | None = None,
    ) -> GetMessagesAnswer:
        """Messages of a session: the newest, in the order written. To follow it, pass the last last_seq as after_seq.

        Needs: the permission `read`.

        Args:
            session_id: The session
            limit: How many (default 50)
            offset: How many to skip (default 0)
            after_seq: What became visible to you after this seq; oldest first
            before_seq: Only before this seq
            order: asc: from the oldest; desc: from the newest
            visibility_filter: Only this visibility
            sender: Only of this agent
            parent_message_id: Only answers to this one
        """
        return cast(GetMessagesAnswer, await self.call("get_messages", {
            "session_id": session_id,
            "limit": limit,
            "offset": offset,
            "after_seq": after_seq,
            "before_seq": before_seq,
            "order": order,
            "visibility_filter": visibility_filter,
            "sender": sender,
            "parent_message_id": parent_message_id,
        }))

    async def set_message_visibility(
        self,
        *,
        message_id: int,
        visibility: Literal["public", "private", "agent_only", "direct", "admin_only"],
        idempotency_key: str | None = None,
    ) -> SetMessageVisibilityAnswer:
        """Change who may see one of your messages, also in a closed session; an admin may do so with anybody's. Agents
        that may no longer see it find it nowhere from then on; agents that newly may find it after their cursor.

        Needs: the permission `write`.

        Args:
            message_id: The message
            visibility: Who may see it from now on
            idempotency_key: Repeats with it happen once
        """
        return cast(SetMessageVisibilityAnswer, await self.call("set_message_visibility", {
            "message_id": message_id,
            "visibility": visibility,
            "idempotency_key": idempotency_key,
        }))

    async def delete_message(
        self,
        *,
        message_id: int,
        idempotency_key: str | None = None,
    ) -> DeleteMessageAnswer:
        """Delete one of your messages for good, also in a closed session; an admin may delete anybody's. Its text and
        metadata are gone at once, from searches and counts too. Agents that follow the session and could see the
        message are told that it was deleted. Answers to it stay, with its id as their parent_message_id.

        Needs: the permission `write`.

        Args:
            message_id: The message
            idempotency_key: Repeats with it happen once
        """
        return cast(DeleteMessageAnswer, await self.call("delete_message", {
            "message_id": message_id,
            "idempotency_key": idempotency_key,
        }))

    async def wait_for_messages(
        self,
        *,
        session_id: str,
        after_seq: int | None = None,
        timeout_seconds: float | None = None,
        limit: int | None = None,
        sender: str | None = None,
        mentions_only: bool | None = None,
    ) -> WaitForMessagesAnswer:
        """Wait for messages and changes of tasks after after_seq. Pass the last last_seq as after_seq, also after
        timed_out: true, and nothing is missed or got twice.

        Needs: the permission `read`.

        Args:
            session_id: The session
            after_seq: As for get_messages; left out: from now on
            timeout_seconds: Seconds, at most 25 over MCP (default 4)
            limit: How many (default 50)
            sender: Only of this agent
            mentions_only: Only what mentions you by @ (default false)
        """
        return cast(WaitForMessagesAnswer, await self.call("wait_for_messages", {
            "session_id": session_id,
            "after_seq": after_seq,
            "timeout_seconds": timeout_seconds,
            "limit": limit,
            "sender": sender,
            "mentions_only": mentions_only,
        }))

    async def mark_read(
        self,
        *,
        session_id: str,
        up_to_seq: int | None = None,
        idempotency_key: str | None = None,
    ) -> MarkReadAnswer:
        """Remember how far you have read a session: pass last_seq of your last get_messages as up_to_seq. get_session
        and list_sessions then count what is unread. It never goes back; without up_to_seq everything counts as
        read, also what came since you last looked.

        Needs: the permission `read`.

        Args:
            session_id: The session
            up_to_seq: The last seq you have read, at most the session's last; absent: all there is now
            idempotency_key: Repeats with it happen once
        """
        return cast(MarkReadAnswer, await self.call("mark_read", {
            "session_id": session_id,
            "up_to_seq": up_to_seq,
            "idempotency_key": idempotency_key,
        }))

    async def get_inbox(
        self,
        *,
        unread_only: bool | None = None,
        unacked_only: bool | None = None,
        session_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        mark_read: bool | None = None,
    ) -> GetInboxAnswer:
        """What is addressed to you or mentions you, in all sessions: unacknowledged first, then newest first.

        Needs: the permission `read`.

        Args:
            unread_only: Only unread ones (default false)
            unacked_only: Only unacknowledged ones (default false)
            session_id: A session; without: all
            limit: How many (default 20)
            cursor: The last next_cursor
            mark_read: Mark them as read (default false)
        """
        return cast(GetInboxAnswer, await self.call("get_inbox", {
            "unread_only": unread_only,
            "unacked_only": unacked_only,
            "session_id": session_id,
            "limit": limit,
            "cursor": cursor,
            "mark_read": mark_read,
        }))

    def iter_inbox(
        self,
        *,
        unread_only: bool | None = None,
        unacked_only: bool | None = None,
        session_id: str | None = None,
        limit: int | None = None,
        mark_read: bool | None = None,
    ) -> AsyncIterator[InboxMessage]:
        """Goes through all pages of get_inbox, one item at a time.

        limit is the number of items in one page.

        Args:
            unread_only: Only unread ones (default false)
            unacked_only: Only unacknowledged ones (default false)
            session_id: A session; without: all
            limit: How many (default 20)
            mark_read: Mark them as read (default false)
        """
        return self.pages("get_inbox", "messages", {
            "unread_only": unread_only,
            "unacked_only": unacked_only,
            "session_id": session_id,
            "limit": limit,
            "mark_read": mark_read,
        })

    async def wait_for_inbox(
        self,
        *,
        unread_only: bool | None = None,
        unacked_only: bool | None = None,
        session_id: str | None = None,
        limit: int | None = None,
        mark_read: bool | None = None,
        timeout_seconds: float | None = None,
    ) -> WaitForInboxAnswer:
        """Wait until your inbox holds something unacknowledged. To get each message once, acknowledge it, or pass
        unread_only and mark_read.

        Needs: the permission `read`.

        Args:
            unread_only: Only unread ones (default false)
            unacked_only: false: acknowledged ones too (default true)
            session_id: A session; without: all
            limit: How many (default 20)
            mark_read: Mark them as read (default false)
            timeout_seconds: Seconds, at most 25 over MCP (default 20)
        """
        return cast(WaitForInboxAnswer, await self.call("wait_for_inbox", {
            "unread_only": unread_only,
            "unacked_only": unacked_only,
            "session_id": session_id,
            "limit": limit,
            "mark_read": mark_read,
            "timeout_seconds": timeout_seconds,
        }))

    async def ack_messages(
        self,
        *,
        message_ids: list[int],
        note: str | None = None,
        idempotency_key: str | None = None,
    ) -> AckMessagesAnswer:
        """Tell the senders of messages in your inbox that you take care of them.

        Needs: the permission `write`.

        Args:
            message_ids: Messages in your inbox
            note: A word to the senders
            idempotency_key: Repeats with it happen once
        """
        return cast(AckMessagesAnswer, await self.call("ack_messages", {
            "message_ids": message_ids,
            "note": note,
            "idempotency_key": idempotency_key,
        }))

    async def get_receipts(
        self,
        *,
        message_id: int,
    ) -> GetReceiptsAnswer:
        """Who in to has got, read, acknowledged and answered a message. For its sender and admins.

        Needs: the permission `read`.

        Args:
            message_id: The message
        """
        return cast(GetReceiptsAnswer, await self.call("get_receipts", {
            "message_id": message_id,
        }))

    async def ask(
        self,
        *,
        to: str,
        content: str,
        session_id: str | None = None,
        payload: Any = NOT_GIVEN,
        timeout_seconds: float | None = None,
        idempotency_key: str | None = None,
    ) -> AskAnswer:
        """Write a message to one agent and wait for its answer. Without session_id only you two and admins see it.

        Needs: the permission `write`.

        Args:
            to: An agent_id or type:<agent_type>
            content: The text
            session_id: A session; without: one of you two alone
            payload: Any JSON value, for programs
            timeout_seconds: Seconds, at most 25 over MCP (default 20)
            idempotency_key: Repeats with it happen once
        """
        return cast(AskAnswer, await self.call("ask", {
            "to": to,
            "content": content,
            "session_id": session_id,
            "payload": payload,
            "timeout_seconds": timeout_seconds,
            "idempotency_key": idempotency_key,
        }))

    async def wait_for_reply(
        self,
        *,
        message_id: int,
        timeout_seconds: float | None = None,
    ) -> WaitForReplyAnswer:
        """Wait for the first answer to your message by those in its to, as when ask timed out.

        Needs: the permission `read`.

        Args:
            message_id: The message
            timeout_seconds: Seconds, at most 25 over MCP (default 20)
        """
        return cast(WaitForReplyAnswer, await self.call("wait_for_reply", {
            "message_id": message_id,
            "timeout_seconds": timeout_seconds,
        }))

    async def list_agents(
        self,
        *,
        query: str | None = None,
        agent_type: str | None = None,
        active_within_seconds: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ListAgentsAnswer:
        """The agents of the workspace: who waits now, and what they do.

        Needs: the permission `read`.

        Args:
            query: Text in agent_id or status
            agent_type: Only this type
            active_within_seconds: Who called within so many seconds
            limit: How many (default 50)
            cursor: The last next_cursor
        """
        return cast(ListAgentsAnswer, await self.call("list_agents", {
            "query": query,
            "agent_type": agent_type,
            "active_within_seconds": active_within_seconds,
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_agents(
        self,
        *,
        query: str | None = None,
        agent_type: str | None = None,
        active_within_seconds: int | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Agent]:
        """Goes through all pages of list_agents, one item at a time.

        limit is the number of items in one page.

        Args:
            query: Text in agent_id or status
            agent_type: Only this type
            active_within_seconds: Who called within so many seconds
            limit: How many (default 50)
        """
        return self.pages("list_agents", "agents", {
            "query": query,
            "agent_type": agent_type,
            "active_within_seconds": active_within_seconds,
            "limit": limit,
        })

    async def set_status(
        self,
        *,
        status: str,
        expires_in: int | None = None,
        idempotency_key: str | None = None,
    ) -> SetStatusAnswer:
        """Say what you do now, as list_agents shows it.

        Needs: the permission `write`.

        Args:
            status: What you do; empty: nothing
            expires_in: Seconds for which it holds (default 3600)
            idempotency_key: Repeats with it happen once
        """
        return cast(SetStatusAnswer, await self.call("set_status", {
            "status": status,
            "expires_in": expires_in,
            "idempotency_key": idempotency_key,
        }))

    async def search_context(
        self,
        *,
        query: str,
        session_id: str | None = None,
        fuzzy_threshold: float | None = None,
        limit: int | None = None,
        search_metadata: bool | None = None,
        search_scope: Literal["all", "public", "private"] | None = None,
        sender: str | None = None,
        start_time: str | None = None,
        end_time: str | None = None,
        metadata_filter: dict[str, Any] | None = None,
        context: float | None = None,
        max_tokens: float | None = None,
        explain: bool | None = None,
    ) -> SearchContextAnswer:
        """Find messages by what they say, their sender or metadata, best first. Typing errors and another order are
        forgiven; identifiers such as worker-1 must match.

        Needs: the permission `read`.

        Args:
            query: What to look for
            session_id: A session; without: all not archived
            fuzzy_threshold: Least score; 100: exact matches (default 60)
            limit: How many (default 10)
            search_metadata: Whether metadata counts (default true)
            search_scope: Which of them (default all)
            sender: Only of this agent
            start_time: From then on: ISO-8601
            end_time: Up to then: ISO-8601
            metadata_filter: What the metadata contains
            context: Messages around each result (default 0)
            max_tokens: About how many tokens at most
            explain: Say which words counted (default false)
        """
        return cast(SearchContextAnswer, await self.call("search_context", {
            "query": query,
            "session_id": session_id,
            "fuzzy_threshold": fuzzy_threshold,
            "limit": limit,
            "search_metadata": search_metadata,
            "search_scope": search_scope,
            "sender": sender,
            "start_time": start_time,
            "end_time": end_time,
            "metadata_filter": metadata_filter,
            "context": context,
            "max_tokens": max_tokens,
            "explain": explain,
        }))

    async def search_memory(
        self,
        *,
        query: str,
        session_id: str | None = None,
        namespace: str | None = None,
        fuzzy_threshold: float | None = None,
        limit: int | None = None,
    ) -> SearchMemoryAnswer:
        """Find what you have stored by its key, its value or its metadata, best first, as search_context finds
        messages. Searches everything of yours, with session_id one session, with namespace that and all below it.

        Needs: the permission `read`.

        Args:
            query: What to look for; an empty query finds nothing
            session_id: Only the memory of this session; left out or "all": every scope
            namespace: Search this shared namespace, and not your own memory
            fuzzy_threshold: The least score of a result (default 60)
            limit: How many (default 10)
        """
        return cast(SearchMemoryAnswer, await self.call("search_memory", {
            "query": query,
            "session_id": session_id,
            "namespace": namespace,
            "fuzzy_threshold": fuzzy_threshold,
            "limit": limit,
        }))

    async def search_by_sender(
        self,
        *,
        session_id: str,
        sender: str,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SearchBySenderAnswer:
        """The messages of one agent in a session that you may see, newest first.

        Needs: the permission `read`.

        Args:
            session_id: The session
            sender: The agent_id of the writer
            limit: How many (default 20)
            cursor: The last next_cursor
        """
        return cast(SearchBySenderAnswer, await self.call("search_by_sender", {
            "session_id": session_id,
            "sender": sender,
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_search_by_sender(
        self,
        *,
        session_id: str,
        sender: str,
        limit: int | None = None,
    ) -> AsyncIterator[Message]:
        """Goes through all pages of search_by_sender, one item at a time.

        limit is the number of items in one page.

        Args:
            session_id: The session
            sender: The agent_id of the writer
            limit: How many (default 20)
        """
        return self.pages("search_by_sender", "messages", {
            "session_id": session_id,
            "sender": sender,
            "limit": limit,
        })

    async def search_by_timerange(
        self,
        *,
        session_id: str,
        start_time: str,
        end_time: str,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SearchByTimerangeAnswer:
        """The messages of a session written in a range of time, both ends included, that you may see; oldest first. A
        date as end_time includes that whole day.

        Needs: the permission `read`.

        Args:
            session_id: The session
            start_time: The beginning: ISO-8601
            end_time: The end: ISO-8601
            limit: How many (default 50)
            cursor: The last next_cursor
        """
        return cast(SearchByTimerangeAnswer, await self.call("search_by_timerange", {
            "session_id": session_id,
            "start_time": start_time,
            "end_time": end_time,
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_search_by_timerange(
        self,
        *,
        session_id: str,
        start_time: str,
        end_time: str,
        limit: int | None = None,
    ) -> AsyncIterator[Message]:
        """Goes through all pages of search_by_timerange, one item at a time.

        limit is the number of items in one page.

        Args:
            session_id: The session
            start_time: The beginning: ISO-8601
            end_time: The end: ISO-8601
            limit: How many (default 50)
        """
        return self.pages("search_by_timerange", "messages", {
            "session_id": session_id,
            "start_time": start_time,
            "end_time": end_time,
            "limit": limit,
        })

    async def set_memory(
        self,
        *,
        key: str,
        value: Any,
        session_id: str | None = None,
        namespace: str | None = None,
        if_version: int | None = None,
        expires_in: int | None = None,
        metadata: dict[str, Any] | None = None,
        overwrite: bool | None = None,
        idempotency_key: str | None = None,
    ) -> SetMemoryAnswer:
        """Store a value under a key: for yourself, globally or in a session, or in a namespace that agents share.

        Needs: the permission `write`.

        Args:
            key: Its name
            value: Any JSON value
            session_id: A session; without: global
            namespace: Shared memory, such as team/plans
            if_version: Only if it has this version; 0: none
            expires_in: Seconds; 0: for ever (default 0)
            metadata: Anything about the value
            overwrite: false: KEY_EXISTS if there is one (default true)
            idempotency_key: Repeats with it happen once
        """
        return cast(SetMemoryAnswer, await self.call("set_memory", {
            "key": key,
            "value": value,
            "session_id": session_id,
            "namespace": namespace,
            "if_version": if_version,
            "expires_in": expires_in,
            "metadata": metadata,
            "overwrite": overwrite,
            "idempotency_key": idempotency_key,
        }))

    async def get_memory(
        self,
        *,
        key: str,
        session_id: str | None = None,
        namespace: str | None = None,
        touch: bool | None = None,
    ) -> GetMemoryAnswer:
        """Read a value that set_memory has stored.

        Needs: the permission `read`.

        Args:
            key: Its name
            session_id: A session; without: global
            namespace: Shared memory
            touch: Keep it as long again
        """
        return cast(GetMemoryAnswer, await self.call("get_memory", {
            "key": key,
            "session_id": session_id,
            "namespace": namespace,
            "touch": touch,
        }))

    async def list_memory(
        self,
        *,
        session_id: str | None = None,
        namespace: str | None = None,
        prefix: str | None = None,
        filter: dict[str, Any] | None = None,
        include_values: bool | None = None,
        order: Literal["updated", "key"] | None = None,
        touch: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ListMemoryAnswer:
        """Stored keys, last updated first: your global ones, or those of a session or namespace.

        Needs: the permission `read`.

        Args:
            session_id: A session; all: all of yours; without: global
            namespace: Shared memory
            prefix: How the keys begin
            filter: Fields of object values, as {"n":{"$gte":3}}; also $eq $ne $gt $lt $lte
            include_values: With the values
            order: Default updated
            touch: Keep it as long again
            limit: How many (default 50)
            cursor: The last next_cursor
        """
        return cast(ListMemoryAnswer, await self.call("list_memory", {
            "session_id": session_id,
            "namespace": namespace,
            "prefix": prefix,
            "filter": filter,
            "include_values": include_values,
            "order": order,
            "touch": touch,
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_memory(
        self,
        *,
        session_id: str | None = None,
        namespace: str | None = None,
        prefix: str | None = None,
        filter: dict[str, Any] | None = None,
        include_values: bool | None = None,
        order: Literal["updated", "key"] | None = None,
        touch: bool | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[MemoryEntry]:
        """Goes through all pages of list_memory, one item at a time.

        limit is the number of items in one page.

        Args:
            session_id: A session; all: all of yours; without: global
            namespace: Shared memory
            prefix: How the keys begin
            filter: Fields of object values, as {"n":{"$gte":3}}; also $eq $ne $gt $lt $lte
            include_values: With the values
            order: Default updated
            touch: Keep it as long again
            limit: How many (default 50)
        """
        return self.pages("list_memory", "entries", {
            "session_id": session_id,
            "namespace": namespace,
            "prefix": prefix,
            "filter": filter,
            "include_values": include_values,
            "order": order,
            "touch": touch,
            "limit": limit,
        })

    async def delete_memory(
        self,
        *,
        key: str | None = None,
        prefix: str | None = None,
        session_id: str | None = None,
        namespace: str | None = None,
        if_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> DeleteMemoryAnswer:
        """Delete a value that was stored with set_memory, or all whose keys begin with prefix, in the same place, also
        in a closed session; count says how many there were.

        Needs: the permission `write`.

        Args:
            key: Its name
            prefix: Delete all values whose keys begin with exactly this
            session_id: A session; without: global
            namespace: Shared memory
            if_version: With key: only if it has this version; 0: it must be absent
            idempotency_key: Repeats with it happen once
        """
        return cast(DeleteMemoryAnswer, await self.call("delete_memory", {
            "key": key,
            "prefix": prefix,
            "session_id": session_id,
            "namespace": namespace,
            "if_version": if_version,
            "idempotency_key": idempotency_key,
        }))

    async def update_memory(
        self,
        *,
        key: str,
        op: Literal["increment", "append", "merge"],
        value: Any,
        session_id: str | None = None,
        namespace: str | None = None,
        if_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> UpdateMemoryAnswer:
        """Change a value so that no change of another agent is lost: increment adds value to a number, append puts
        value at the end of a list (or a text behind a text), merge puts the fields of value into an object. What is
        absent is 0, [] or {} before.

        Needs: the permission `write`.

        Args:
            key: Its name
            op: How it changes
            value: The number, the element, or the object of fields
            session_id: A session; without: global
            namespace: Shared memory
            if_version: Only if it has this version; 0: only if it is absent
            idempotency_key: Repeats with it happen once
        """
        return cast(UpdateMemoryAnswer, await self.call("update_memory", {
            "key": key,
            "op": op,
            "value": value,
            "session_id": session_id,
            "namespace": namespace,
            "if_version": if_version,
            "idempotency_key": idempotency_key,
        }))

    async def batch_memory(
        self,
        *,
        operations: list[OperationInput],
        atomic: bool | None = None,
        idempotency_key: str | None = None,
    ) -> BatchMemoryAnswer:
        """Get, set, delete and list in one call, in their order. All or none: the first error takes everything back.
        With atomic: false an error is the result of its operation alone.

        Needs: the permission `write`.

        Args:
            operations: The operations, at most 500
            atomic: Whether an error takes everything back (default true)
            idempotency_key: Repeats with it happen once
        """
        return cast(BatchMemoryAnswer, await self.call("batch_memory", {
            "operations": operations,
            "atomic": atomic,
            "idempotency_key": idempotency_key,
        }))

    async def memory_history(
        self,
        *,
        key: str,
        session_id: str | None = None,
        namespace: str | None = None,
        limit: int | None = None,
    ) -> MemoryHistoryAnswer:
        """The last 20 versions of a value, the current one first: what it was, who wrote it, and when. They end with
        the value.

        Needs: the permission `read`.

        Args:
            key: Its name
            session_id: A session; without: global
            namespace: Shared memory
            limit: How many (default 20)
        """
        return cast(MemoryHistoryAnswer, await self.call("memory_history", {
            "key": key,
            "session_id": session_id,
            "namespace": namespace,
            "limit": limit,
        }))

    async def set_namespace(
        self,
        *,
        namespace: str,
        readers: list[str],
        writers: list[str],
        idempotency_key: str | None = None,
    ) -> SetNamespaceAnswer:
        """Say who may read and who may write a namespace of memory, and all below it. Makes it, owned by you, if it is
        not there. Replaces both lists. For its owner and admins.

        Needs: the permission `write`.

        Args:
            namespace: Such as team/plans
            readers: Who may read: each an agent_id, type:<agent_type>, or *
            writers: Who may read and write
            idempotency_key: Repeats with it happen once
        """
        return cast(SetNamespaceAnswer, await self.call("set_namespace", {
            "namespace": namespace,
            "readers": readers,
            "writers": writers,
            "idempotency_key": idempotency_key,
        }))

    async def list_namespaces(
        self,
        *,
        prefix: str | None = None,
        suffix: str | None = None,
        depth: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ListNamespacesAnswer:
        """The namespaces of memory that you may read: those with rights of their own, and those that hold values.

        Needs: the permission `read`.

        Args:
            prefix: Only names that begin with exactly this
            suffix: Only names that end with exactly this
            depth: Cut names to so many parts; each then comes once
            limit: How many (default 100)
            cursor: The last next_cursor
        """
        return cast(ListNamespacesAnswer, await self.call("list_namespaces", {
            "prefix": prefix,
            "suffix": suffix,
            "depth": depth,
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_namespaces(
        self,
        *,
        prefix: str | None = None,
        suffix: str | None = None,
        depth: int | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Namespace]:
        """Goes through all pages of list_namespaces, one item at a time.

        limit is the number of items in one page.

        Args:
            prefix: Only names that begin with exactly this
            suffix: Only names that end with exactly this
            depth: Cut names to so many parts; each then comes once
            limit: How many (default 100)
        """
        return self.pages("list_namespaces", "namespaces", {
            "prefix": prefix,
            "suffix": suffix,
            "depth": depth,
            "limit": limit,
        })

    async def create_task(
        self,
        *,
        title: str,
        description: str | None = None,
        session_id: str | None = None,
        to: list[str] | None = None,
        depends_on: list[str] | None = None,
        priority: int | None = None,
        max_attempts: int | None = None,
        lease_seconds: int | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> CreateTaskAnswer:
        """Hand out work that is done once: workers get it with claim_task when all that it depends on is completed.

        Needs: the permission `write`.

        Args:
            title: What to do, in a line
            description: All that it takes
            session_id: A session; without: the workspace
            to: Who alone may see and claim it: agent_ids, type:<agent_type>
            depends_on: What must be completed before: task_ids
            priority: Higher ones go first (default 0)
            max_attempts: Most tries (default 3)
            lease_seconds: Seconds a claim lasts (default 300)
            metadata: Anything about the task
            idempotency_key: Repeats with it happen once
        """
        return cast(CreateTaskAnswer, await self.call("create_task", {
            "title": title,
            "description": description,
            "session_id": session_id,
            "to": to,
            "depends_on": depends_on,
            "priority": priority,
            "max_attempts": max_attempts,
            "lease_seconds": lease_seconds,
            "metadata": metadata,
            "idempotency_key": idempotency_key,
        }))

    async def create_tasks(
        self,
        *,
        tasks: list[TaskInput],
        idempotency_key: str | None = None,
    ) -> CreateTasksAnswer:
        """Hand out a plan at once, all or none. depends_on also takes a ref of the call.

        Needs: the permission `write`.

        Args:
            tasks: Tasks as create_task takes them
            idempotency_key: Repeats with it happen once
        """
        return cast(CreateTasksAnswer, await self.call("create_tasks", {
            "tasks": tasks,
            "idempotency_key": idempotency_key,
        }))

    async def list_tasks(
        self,
        *,
        state: Literal["submitted", "working", "input_required", "completed", "failed", "canceled"] | None = None,
        ready: bool | None = None,
        session_id: str | None = None,
        assignee: str | None = None,
        created_by: str | None = None,
        query: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ListTasksAnswer:
        """The tasks that you may see, newest first.

        Needs: the permission `read`.

        Args:
            state: Only in this state
            ready: Only what you could claim now (default false)
            session_id: A session; without: all
            assignee: Who holds it, or held it last
            created_by: Who created it
            query: Text in title or description
            limit: How many (default 50)
            cursor: The last next_cursor
        """
        return cast(ListTasksAnswer, await self.call("list_tasks", {
            "state": state,
            "ready": ready,
            "session_id": session_id,
            "assignee": assignee,
            "created_by": created_by,
            "query": query,
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_tasks(
        self,
        *,
        state: Literal["submitted", "working", "input_required", "completed", "failed", "canceled"] | None = None,
        ready: bool | None = None,
        session_id: str | None = None,
        assignee: str | None = None,
        created_by: str | None = None,
        query: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Task]:
        """Goes through all pages of list_tasks, one item at a time.

        limit is the number of items in one page.

        Args:
            state: Only in this state
            ready: Only what you could claim now (default false)
            session_id: A session; without: all
            assignee: Who holds it, or held it last
            created_by: Who created it
            query: Text in title or description
            limit: How many (default 50)
        """
        return self.pages("list_tasks", "tasks", {
            "state": state,
            "ready": ready,
            "session_id": session_id,
            "assignee": assignee,
            "created_by": created_by,
            "query": query,
            "limit": limit,
        })

    async def get_task(
        self,
        *,
        task_id: str,
    ) -> GetTaskAnswer:
        """One task as it is now, with its result, and what happened to it.

        Needs: the permission `read`.

        Args:
            task_id: The task
        """
        return cast(GetTaskAnswer, await self.call("get_task", {
            "task_id": task_id,
        }))

    async def claim_task(
        self,
        *,
        task_id: str | None = None,
        session_id: str | None = None,
        wait_seconds: float | None = None,
    ) -> ClaimTaskAnswer:
        """Get a task to work on: the next ready one by priority, then age, or the one you name. You alone hold it
        until the lease expires; renew_task makes that later.

        Needs: the permission `write`.

        Args:
            task_id: This task alone
            session_id: A session; without: any
            wait_seconds: Seconds to wait, at most 25 over MCP (default 0)
        """
        return cast(ClaimTaskAnswer, await self.call("claim_task", {
            "task_id": task_id,
            "session_id": session_id,
            "wait_seconds": wait_seconds,
        }))

    async def renew_task(
        self,
        *,
        task_id: str,
        lease_token: int,
    ) -> RenewTaskAnswer:
        """Hold a task for lease_seconds from now on. Call it before lease.expires_at.

        Needs: the permission `write`.

        Args:
            task_id: The task
            lease_token: lease.token of claim_task
        """
        return cast(RenewTaskAnswer, await self.call("renew_task", {
            "task_id": task_id,
            "lease_token": lease_token,
        }))

    async def complete_task(
        self,
        *,
        task_id: str,
        lease_token: int,
        result: Any = NOT_GIVEN,
    ) -> CreateTaskAnswer:
        """Say that a task which you hold is done, and what came of it.

        Needs: the permission `write`.

        Args:
            task_id: The task
            lease_token: lease.token of claim_task
            result: What came of it: any JSON value
        """
        return cast(CreateTaskAnswer, await self.call("complete_task", {
            "task_id": task_id,
            "lease_token": lease_token,
            "result": result,
        }))

    async def fail_task(
        self,
        *,
        task_id: str,
        lease_token: int,
        error: str,
        retry: bool | None = None,
    ) -> CreateTaskAnswer:
        """Say that you could not do a task. Others may try again, up to max_attempts times; then what depends on it is
        canceled.

        Needs: the permission `write`.

        Args:
            task_id: The task
            lease_token: lease.token of claim_task
            error: What went wrong
            retry: false: nobody may try again (default true)
        """
        return cast(CreateTaskAnswer, await self.call("fail_task", {
            "task_id": task_id,
            "lease_token": lease_token,
            "error": error,
            "retry": retry,
        }))

    async def release_task(
        self,
        *,
        task_id: str,
        note: str,
        lease_token: int | None = None,
    ) -> CreateTaskAnswer:
        """Give a task back that you hold, with what the next one must know. Its creator and admins may leave
        lease_token out, and then free it from whoever holds it.

        Needs: the permission `write`.

        Args:
            task_id: The task
            note: What is done, and what is left
            lease_token: Of the holder
        """
        return cast(CreateTaskAnswer, await self.call("release_task", {
            "task_id": task_id,
            "note": note,
            "lease_token": lease_token,
        }))

    async def update_task(
        self,
        *,
        task_id: str,
        lease_token: int | None = None,
        title: str | None = None,
        description: str | None = None,
        priority: int | None = None,
        metadata: dict[str, Any] | None = None,
        state: Literal["working", "input_required"] | None = None,
    ) -> CreateTaskAnswer:
        """Change a task that is not done: for its creator, admins, and with lease_token its holder.

        Needs: the permission `write`.

        Args:
            task_id: The task
            lease_token: Of the holder
            title: What to do, in a line
            description: All that it takes
            priority: Higher ones go first
            metadata: In place of its metadata
            state: input_required: its holder waits
        """
        return cast(CreateTaskAnswer, await self.call("update_task", {
            "task_id": task_id,
            "lease_token": lease_token,
            "title": title,
            "description": description,
            "priority": priority,
            "metadata": metadata,
            "state": state,
        }))

    async def cancel_task(
        self,
        *,
        task_id: str,
        reason: str | None = None,
    ) -> CreateTaskAnswer:
        """Call a task off, and all that depends on it. For its creator and admins.

        Needs: the permission `write`.

        Args:
            task_id: The task
            reason: Why it is called off
        """
        return cast(CreateTaskAnswer, await self.call("cancel_task", {
            "task_id": task_id,
            "reason": reason,
        }))

    async def acquire_lease(
        self,
        *,
        names: list[str],
        ttl_seconds: int | None = None,
        wait_seconds: float | None = None,
        purpose: str | None = None,
    ) -> AcquireLeaseAnswer:
        """Hold names, all or none, so that nobody else holds them until you call release_lease or ttl_seconds are
        over: a file, a branch, a customer. Pass token along with what you write where the lease protects it: it
        grows with every holder. With wait_seconds (at most 25 over MCP, 55 over REST) it waits for names that
        others hold.

        Needs: the permission `write`.

        Args:
            names: The names
            ttl_seconds: For how many seconds, from now on (default 60)
            wait_seconds: Seconds to wait, at most 25 over MCP (default 0)
            purpose: What for: those who want the name see it
        """
        return cast(AcquireLeaseAnswer, await self.call("acquire_lease", {
            "names": names,
            "ttl_seconds": ttl_seconds,
            "wait_seconds": wait_seconds,
            "purpose": purpose,
        }))

    async def renew_lease(
        self,
        *,
        leases: list[LeaseInput],
        ttl_seconds: int | None = None,
    ) -> RenewLeaseAnswer:
        """Hold names that you hold for ttl_seconds from now on: all or none. Call it before expires_at.

        Needs: the permission `write`.

        Args:
            leases: The leases, as acquire_lease returned them
            ttl_seconds: For how many seconds, from now on (default 60)
        """
        return cast(RenewLeaseAnswer, await self.call("renew_lease", {
            "leases": leases,
            "ttl_seconds": ttl_seconds,
        }))

    async def release_lease(
        self,
        *,
        leases: list[ReleasedLeaseInput],
    ) -> ReleaseLeaseAnswer:
        """Give up names that you hold. What you do not hold any more is passed over. An admin may leave token out, and
        then ends anybody's.

        Needs: the permission `write`.

        Args:
            leases: The leases, as acquire_lease returned them
        """
        return cast(ReleaseLeaseAnswer, await self.call("release_lease", {
            "leases": leases,
        }))

    async def list_leases(
        self,
        *,
        prefix: str | None = None,
        holder: str | None = None,
        limit: int | None = None,
    ) -> ListLeasesAnswer:
        """Who holds which names, and until when, sorted by name.

        Needs: the permission `read`.

        Args:
            prefix: Only names that begin with exactly this
            holder: Only what this agent holds
            limit: How many (default 100)
        """
        return cast(ListLeasesAnswer, await self.call("list_leases", {
            "prefix": prefix,
            "holder": holder,
            "limit": limit,
        }))

    async def export_session(
        self,
        *,
        session_id: str,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ExportSessionAnswer:
        """Get a session with all its messages that you may see, as lines of JSON in their order: the session, each
        message, and last how many there were. It comes in pages: pass next_cursor as cursor until has_more is
        false, and write the ndjson of all pages one after the other into one file. What is written meanwhile is
        left out. import_session reads it.

        Needs: the permission `read`.

        Args:
            session_id: The session
            limit: How many (default 500)
            cursor: The last next_cursor
        """
        return cast(ExportSessionAnswer, await self.call("export_session", {
            "session_id": session_id,
            "limit": limit,
            "cursor": cursor,
        }))

    async def import_session(
        self,
        *,
        ndjson: str,
        idempotency_key: str | None = None,
    ) -> ImportSessionAnswer:
        """Make a session of what export_session wrote, here or on another server: a new session_id and new message
        ids, the same order, senders, visibility, metadata, times and answers to each other. All of it or, where a
        line is not right, nothing. For admins, since it speaks for others. What is larger than a request may be is
        imported by the command `session import`.

        Needs: the permission `admin`.

        Args:
            ndjson: The ndjson of all pages of export_session, one after the other
            idempotency_key: Repeats with it happen once
        """
        return cast(ImportSessionAnswer, await self.call("import_session", {
            "ndjson": ndjson,
            "idempotency_key": idempotency_key,
        }))

    async def get_usage_guidance(
        self,
        *,
        guidance_type: Literal["operations", "coordination", "security", "troubleshooting"] | None = None,
    ) -> GetUsageGuidanceAnswer:
        """What you can do here and how, with examples; also before authentication.

        Needs: no permission.

        Args:
            guidance_type: The topic (default operations)
        """
        return cast(GetUsageGuidanceAnswer, await self.call("get_usage_guidance", {
            "guidance_type": guidance_type,
        }))

    async def get_performance_metrics(self) -> GetPerformanceMetricsAnswer:
        """For the operator, with the shared ADMIN_API_KEY: what this replica has served since it started, how long it
        took, its connection pool, and the size of the database. Admins of a workspace are refused.

        Needs: the permission `admin`.
        """
        return cast(GetPerformanceMetricsAnswer, await self.call("get_performance_metrics", {}))

    async def get_server_health(
        self,
        *,
        tool: str | None = None,
    ) -> GetServerHealthAnswer:
        """For the operator, with the shared ADMIN_API_KEY: every replica of the service, and minute by minute of the
        last hour what all of them did together. Replicas write their figures every 30 seconds; one that has not
        done so for 75 seconds is not up. Admins of a workspace are refused.

        Needs: the permission `admin`.

        Args:
            tool: Count only the calls of this tool, minute by minute; without: of all tools
        """
        return cast(GetServerHealthAnswer, await self.call("get_server_health", {
            "tool": tool,
        }))

    async def list_workspaces(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ListWorkspacesAnswer:
        """For the operator, with the shared ADMIN_API_KEY: every workspace that has or had something, by name, with
        how much it holds, and the quotas of the server. A workspace begins with its first key, which create_api_key
        makes. Admins of a workspace are refused.

        Needs: the permission `admin`.

        Args:
            limit: How many (default 50)
            cursor: The last next_cursor
        """
        return cast(ListWorkspacesAnswer, await self.call("list_workspaces", {
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_workspaces(
        self,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[Workspace]:
        """Goes through all pages of list_workspaces, one item at a time.

        limit is the number of items in one page.

        Args:
            limit: How many (default 50)
        """
        return self.pages("list_workspaces", "workspaces", {
            "limit": limit,
        })

    async def get_audit_log(
        self,
        *,
        session_id: str | None = None,
        agent_id: str | None = None,
        event_type: str | None = None,
        start_time: str | None = None,
        end_time: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> GetAuditLogAnswer:
        """For admins: what was written, by whom and when, and which credentials and permissions were refused; newest
        first. Holds ids, never content. An admin limited to sessions sees what was done in these.

        Needs: the permission `admin`.

        Args:
            session_id: A session; without: all that you may see
            agent_id: Only what this agent did
            event_type: Only events of this type, such as message_added
            start_time: Only events from then on: ISO-8601
            end_time: Only events up to then: ISO-8601
            limit: How many (default 100)
            cursor: The last next_cursor
        """
        return cast(GetAuditLogAnswer, await self.call("get_audit_log", {
            "session_id": session_id,
            "agent_id": agent_id,
            "event_type": event_type,
            "start_time": start_time,
            "end_time": end_time,
            "limit": limit,
            "cursor": cursor,
        }))

    def iter_audit_log(
        self,
        *,
        session_id: str | None = None,
        agent_id: str | None = None,
        event_type: str | None = None,
        start_time: str | None = None,
        end_time: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[AuditEntry]:
        """Goes through all pages of get_audit_log, one item at a time.

        limit is the number of items in one page.

        Args:
            session_id: A session; without: all that you may see
            agent_id: Only what this agent did
            event_type: Only events of this type, such as message_added
            start_time: Only events from then on: ISO-8601
            end_time: Only events up to then: ISO-8601
            limit: How many (default 100)
        """
        return self.pages("get_audit_log", "entries", {
            "session_id": session_id,
            "agent_id": agent_id,
            "event_type": event_type,
            "start_time": start_time,
            "end_time": end_time,
            "limit": limit,
        })

    async def verify_audit_log(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> VerifyAuditLogAnswer:
        """For admins: recomputes the chain over the audit log and its signed heads, and names the first row that was
        altered, removed, moved or put in afterwards. A long log takes several calls, each with the next_cursor of
        the one before.

        Needs: the permission `admin`.

        Args:
            limit: How many rows to check at most (default 100000)
            cursor: The last next_cursor
        """
        return cast(VerifyAuditLogAnswer, await self.call("verify_audit_log", {
            "limit": limit,
            "cursor": cursor,
        }))

    async def delete_session(
        self,
        *,
        session_id: str,
        idempotency_key: str | None = None,
    ) -> DeleteSessionAnswer:
        """Delete a session for good, open or closed, with its messages and every agent's memory in it. From then on it
        is SESSION_NOT_FOUND, and who waits for it or streams it is told. It cannot be taken back: to only put it
        away call archive_session, to keep a copy call export_session first. For its creator and admins.

        Needs: the permission `write`.

        Args:
            session_id: The session
            idempotency_key: Repeats with it happen once
        """
        return cast(DeleteSessionAnswer, await self.call("delete_session", {
            "session_id": session_id,
            "idempotency_key": idempotency_key,
        }))

    async def erase_agent(
        self,
        *,
        agent_id: str,
        idempotency_key: str | None = None,
    ) -> EraseAgentAnswer:
        """Erase what an agent has left: its tokens end, and its memory, read cursors and presence go at once; its
        messages are deleted in the background, as by delete_message. Sessions it opened, and memory that it shares,
        stay with a pseudonym in place of its name. The audit log keeps its rows, and tells when all is done. What
        others wrote about it stays. Who comes with the same agent_id later begins anew.

        Needs: the permission `admin`.

        Args:
            agent_id: The agent to erase
            idempotency_key: Repeats with it happen once
        """
        return cast(EraseAgentAnswer, await self.call("erase_agent", {
            "agent_id": agent_id,
            "idempotency_key": idempotency_key,
        }))

    async def get_retention(self) -> GetRetentionAnswer:
        """For how many days this workspace keeps messages and closed sessions, and audit rows, and whether that is its
        own setting or the server's.

        Needs: the permission `admin`.
        """
        return cast(GetRetentionAnswer, await self.call("get_retention", {}))

    async def set_retention(
        self,
        *,
        days: int | None = None,
        use_server_default: bool | None = None,
        idempotency_key: str | None = None,
    ) -> GetRetentionAnswer:
        """Set for how many days this workspace keeps messages, and closed or archived sessions in which nothing has
        happened since. What is older is deleted for good within the hour, and from then on as it comes of age. 0
        keeps everything for ever; use_server_default: true gives up the workspace's own setting. Memory is not
        touched, nor is the audit log: only the operator says how long that is kept.

        Needs: the permission `admin`.

        Args:
            days: Days to keep things; 0: for ever
            use_server_default: true: instead of days, whatever the server is set to
            idempotency_key: Repeats with it happen once
        """
        return cast(GetRetentionAnswer, await self.call("set_retention", {
            "days": days,
            "use_server_default": use_server_default,
            "idempotency_key": idempotency_key,
        }))
