import type { Stamp } from './columns.js'

/** What callers have used up. */
export interface LimitTables {
  rate_limits: {
    /** '' if the subject belongs to no workspace. */
    workspace: string
    kind: string
    subject: string
    ends_at: Stamp
    taken: number
    given: number
  }
  /** Triggers count these. */
  workspace_usage: { workspace: string; sessions: number }
  memory_usage: { workspace: string; agent_id: string; entries: number; bytes: number }
}
