/**
 * What the kernel wants committed together with a tool's rows. A tool that commits in a batch gets it in its context
 * and hands it to the writer of the batch; for every other tool the kernel commits it in the call's transaction.
 */
export interface Receipt {
  audit: AuditRow
  /** Absent if the caller sent no idempotency_key. */
  idempotencyKey?: IdempotencyKey
  /** The writer calls it when the key came before: the answer is the first one, and nothing was written. */
  onRepeat?: () => void
}

export interface AuditRow {
  workspace: string
  event_type: string
  agent_id: string | null
  session_id: string | null
  /** The tool's name. */
  action: string
  resource: string | null
  result: 'success' | 'refused'
  request_id: string
  metadata: Record<string, unknown>
}

export interface IdempotencyKey {
  workspace: string
  agent_id: string
  key: string
  /** SHA-256 of the tool's name, the caller's rights and the arguments. */
  request_hash: Buffer
}
