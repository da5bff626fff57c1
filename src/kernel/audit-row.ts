import { type Agent, DEFAULT_WORKSPACE } from './agent.js'
import type { Caller } from './caller.js'
import type { AuditRow } from './receipt.js'
import type { AuditFields } from './tool.js'

/** The audit row of a success. */
export function auditRow(
  fields: AuditFields,
  action: string,
  agent: Agent | null,
  caller: Pick<Caller, 'request_id'>
): AuditRow {
  return {
    workspace: agent?.workspace ?? DEFAULT_WORKSPACE,
    event_type: fields.event_type,
    agent_id: fields.agent_id ?? agent?.agent_id ?? null,
    session_id: fields.session_id ?? null,
    action,
    resource: fields.resource ?? null,
    result: 'success',
    request_id: caller.request_id,
    metadata: fields.metadata ?? {}
  }
}
