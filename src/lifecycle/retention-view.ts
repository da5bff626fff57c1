import { Type } from '@sinclair/typebox'
import type { AuditKeys } from '../audit/chain/keys.js'
import { OneOf } from '../kernel/schema.js'
import { retentionOf } from './store/retention-setting.js'
import type { Db } from '../postgres/schema.js'

/** The longest retention, in days: a century. */
export const RETENTION_DAYS_MAX = 36_500

const source = (description: string) => OneOf(['workspace', 'server'], { description })

export const retentionFields = {
  days: Type.Integer({ description: 'Days that messages and closed sessions are kept; 0: for ever' }),
  source: source("Whether the workspace has a setting of its own, or follows the server's"),
  server_days: Type.Integer({ description: "The server's own setting" }),
  audit_days: Type.Integer({
    description: 'Days that audit rows are kept; 0: for ever. Only the operator can change it'
  }),
  audit_source: source('The same of audit rows')
}

/** What the server keeps for workspaces without a setting of their own. */
export interface RetentionDefaults {
  /** Days that messages and closed sessions are kept; 0: for ever. */
  retention_days: number
  audit_retention_days: number
  /** Undefined: the audit log is not chained, and no audit row ends. */
  audit_keys: AuditKeys | undefined
}

export async function retentionView(
  db: Db,
  workspace: string,
  { retention_days, audit_retention_days, audit_keys }: RetentionDefaults
) {
  const audit = await retentionOf(db, 'audit_retention', workspace, audit_retention_days)
  return {
    ...(await retentionOf(db, 'retention', workspace, retention_days)),
    server_days: retention_days,
    // Without a chain, the service removes no audit rows.
    audit_days: audit_keys === undefined ? 0 : audit.days,
    audit_source: audit.source
  }
}
