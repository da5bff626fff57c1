/** `failure`: keys and tokens that were refused. `initialize`: MCP sessions opened. Both of an address. */
export type Limited = 'agent' | 'key' | 'address' | 'failure' | 'initialize'

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
