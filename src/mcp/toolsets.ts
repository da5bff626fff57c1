import type { ToolsetName } from '../config/toolset-names.js'
import type { Tool } from '../kernel/tool.js'

/**
 * Which tools are listed together. A model reads the whole list before it does anything, so that the default has what
 * most agents need; every tool can be called, listed or not.
 *
 * A name whose tool is not there is passed over.
 */
export const TOOLSETS: Readonly<Record<Exclude<ToolsetName, 'all'>, readonly string[]>> = {
  // At most twelve.
  core: [
    'create_session',
    'list_sessions',
    'get_session',
    'add_message',
    'get_messages',
    'wait_for_messages',
    'search_context',
    'set_memory',
    'get_memory',
    'list_memory',
    'list_agents',
    'get_usage_guidance'
  ],
  inbox: [
    'get_inbox',
    'wait_for_inbox',
    'ack_messages',
    'get_receipts',
    'ask',
    'wait_for_reply',
    'list_agents',
    'set_status'
  ],
  tasks: [
    'create_task',
    'create_tasks',
    'list_tasks',
    'get_task',
    'claim_task',
    'renew_task',
    'complete_task',
    'fail_task',
    'release_task',
    'update_task',
    'cancel_task'
  ],
  leases: ['acquire_lease', 'renew_lease', 'release_lease', 'list_leases'],
  memory: [
    'set_memory',
    'get_memory',
    'list_memory',
    'delete_memory',
    'search_memory',
    'update_memory',
    'batch_memory',
    'memory_history',
    'set_namespace',
    'list_namespaces'
  ],
  sessions: [
    'create_session',
    'list_sessions',
    'get_session',
    'update_session',
    'close_session',
    'archive_session',
    'delete_session',
    'export_session',
    'import_session',
    'add_message',
    'add_messages',
    'get_messages',
    'set_message_visibility',
    'delete_message',
    'wait_for_messages',
    'mark_read',
    'search_context',
    'search_by_sender',
    'search_by_timerange'
  ],
  identity: ['authenticate_agent', 'refresh_token', 'revoke_token', 'create_token'],
  admin: [
    'create_api_key',
    'list_api_keys',
    'revoke_api_key',
    'get_performance_metrics',
    'get_server_health',
    'list_workspaces',
    'get_audit_log',
    'verify_audit_log',
    'get_retention',
    'set_retention',
    'erase_agent'
  ]
}

/** By which a caller finds out who it is, where its connection does not say. */
const FIRST = 'authenticate_agent'

/**
 * @param named whether the connection names its agent
 * @param bare whether the connection has no credentials
 * @returns whether a tool belongs to the list
 */
export function inToolsets(
  asked: readonly ToolsetName[],
  { named, bare }: { named: boolean; bare: boolean }
): (tool: Pick<Tool, 'name'>) => boolean {
  if (asked.includes('all')) return () => true
  const names = new Set(
    [...asked, ...(bare ? (['identity'] as const) : [])].flatMap(set => (set === 'all' ? [] : TOOLSETS[set]))
  )
  if (!named) names.add(FIRST)
  return ({ name }) => names.has(name)
}
