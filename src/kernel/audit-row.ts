import { type Agent, DEFAULT_WORKSPACE } from './agent.js'
import type { AuditRow } from './receipt.js'
import type { AuditFields } from './tool.js'

/**
 * The audit row of a success.
 * @param by who did it; without agent_id if it was no agent, null if nobody is known
 */
export function auditRow(
  fields: AuditFields,
  action: string,
  by: (Pick<Agent, 'workspace'> & Partial<Pick<Agent, 'agent_id'>>) | null,
  { request_id }: { request_id: string }
): AuditRow {
  return {
    workspace: by?.workspace ?? DEFAULT_WORKSPACE,
    event_type: fields.event_type,
    agent_id: fields.agent_id ?? by?.agent_id ?? null,
    session_id: fields.session_id ?? null,
    action,
    resource: fields.resource ?? null,
    result: 'success',
    request_id,
    metadata: fields.metadata ?? {}
  }
}
