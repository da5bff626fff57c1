import type { Agent, Bounds } from './agent.js'
import type { ToolsetName } from '../config/toolset-names.js'
import type { RateLimitStatus } from './rate-limit-status.js'
import type { TraceContext } from './tracing.js'

/** What a front knows about a request before anybody is identified. The fronts fill it in; the kernel decides. */
export interface Caller {
  front: 'rest' | 'mcp'
  request_id: string
  /** Network address, for the audit's throttle of refusals; `stdio` for a local process. */
  address: string
  credentials: Credentials
  /** The trace that the client says the call belongs to. */
  trace?: TraceContext
  /** Who it is, where that was found out before the body was read, and when: milliseconds of performance.now(). */
  identified?: { agent: Agent | null; at: number }
  /**
   * Makes the signal that is aborted when the client goes away, for calls that wait: it costs as much as a small call.
   * Absent where that cannot be noticed.
   */
  disconnected?: () => AbortSignal | undefined
  /**
   * Tells a client that asked for it how a long call is getting on, in seconds; absent where none asked. Never throws.
   */
  progress?: (elapsed: number, total: number) => void
  /**
   * Says that the call merely waits from now on, so that it is not counted among the requests in flight.
   * @returns what says that it works again, harmless twice
   */
  releaseSlot?: () => () => void
  /** Whether the address that an MCP client has asks for the schemas of answers in the list of tools. */
  output_schemas?: boolean
  /** Which parts of the list of tools an MCP client has asked for. */
  toolsets?: readonly ToolsetName[]
  /** Told how the caller stands with its rate limits; absent where an answer has no room for it. */
  onRateLimit?: (standing: RateLimitStatus) => void
}

/** The signal that is aborted when one of the two is. */
export function anySignal(first: AbortSignal | undefined, second: AbortSignal): AbortSignal {
  return first === undefined ? second : AbortSignal.any([first, second])
}

/** Credentials as they came, unchecked, in the order in which docs/semantics.md, Identity looks at them. */
export interface Credentials {
  /** The Authorization header. */
  authorization?: string
  /** `auth_token` among the arguments, MCP only. */
  auth_token?: string
  /** The row of a 2025-era client's Mcp-Session-Id, read by the MCP front. */
  mcp_session?: McpSession
  api_key?: string
  agent_id?: string
  agent_type?: string
  /** clientInfo.name of an MCP client: the agent's name when a key comes alone. */
  client_name?: string
  /**
   * The agent of a local stdio connection, which needs no credentials: whoever started the process owns its database.
   */
  local?: { agent_id: string; agent_type: string }
}

export interface McpSession {
  /** SHA-256 of the Mcp-Session-Id; the id itself is not kept. */
  id_hash: Buffer
  client_name: string | null
  protocol_version: string
  /** Who authenticated in it, if anybody did. */
  identity:
    | (Bounds & {
        workspace: string
        agent_id: string
        agent_type: string
        permissions: string[]
        jti: string
        expires_at: Date
      })
    | null
}
