import type { Generated } from 'kysely'
import type { Json, Stamp } from './columns.js'

/** The audit log and its chain. */
export interface AuditTables {
  audit_log: {
    id: Generated<number>
    workspace: string
    timestamp: Stamp
    event_type: string
    agent_id: string | null
    session_id: string | null
    action: string
    resource: string | null
    result: string
    request_id: string
    metadata: Json
  }
  audit_chain: { workspace: string; seq: number; audit_id: number; key_id: string; mac: Buffer }
  audit_heads: {
    workspace: string
    seq: number
    mac: Buffer
    /** Up to this id, every audit row was chained at that time, in all workspaces. */
    drained_to: number
    signed_at: Stamp
    key_id: string
    signature: Buffer
  }
  audit_beginnings: {
    workspace: string
    seq: number
    mac: Buffer
    begun_at: Stamp
    key_id: string
    signature: Buffer
  }
}
