/**
 * `failure`: keys and tokens of an address that were refused. `initialize…`: MCP sessions opened from an address
 * without good credentials, with a key, and in a workspace.
 */
export type Limited = 'agent' | 'key' | 'address' | 'failure' | 'initialize' | 'initialize_key' | 'initialize_workspace'

/** How much is left of a minute. */
export interface RateLimitStatus {
  of: Limited
  limit: number
  /** As far as this replica knows: others may have spent some of it since. */
  remaining: number
  /** Whole seconds, rounded up, until the minute is over and everything is there again. */
  reset_s: number
  admitted: boolean
}
