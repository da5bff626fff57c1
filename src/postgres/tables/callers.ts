import type { Permission } from '../../kernel/agent.js'
import type { Json, Stamp } from './columns.js'

/** Who calls: credentials, MCP sessions, keys of repeated calls, and when agents were last seen. */
export interface CallerTables {
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
    /** Null: all of the workspace. */
    sessions: string[] | null
    created_at: Stamp
    /** The agent that made it, and the API key it had; null if a command or a shared key made it. */
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
  agents: {
    workspace: string
    agent_id: string
    agent_type: string
    last_seen_at: Stamp
    status: string | null
    status_expires_at: Stamp | null
  }
  session_presence: {
    workspace: string
    session_id: string
    agent_id: string
    agent_type: string
    last_seen_at: Stamp
  }
}
