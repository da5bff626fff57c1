import type { Static, TObject } from '@sinclair/typebox'
import type { Message, Session, SessionSummary } from '../../../src/kernel/answer-shapes.js'
import type { Tool } from '../../../src/kernel/tool.js'
import type { authenticateAgent } from '../../../src/agents/tools/authenticate-agent.js'
import type { refreshToken } from '../../../src/agents/tools/refresh-token.js'
import type { revokeToken } from '../../../src/agents/tools/revoke-token.js'
import type { createApiKey } from '../../../src/agents/tools/create-api-key.js'
import type { listApiKeys } from '../../../src/agents/tools/list-api-keys.js'
import type { revokeApiKey } from '../../../src/agents/tools/revoke-api-key.js'
import type { getAuditLog } from '../../../src/audit/tools/get-audit-log.js'
import type { verifyAuditLog } from '../../../src/audit/tools/verify-audit-log.js'
import type { getPerformanceMetrics } from '../../../src/guidance/tools/get-performance-metrics.js'
import type { getUsageGuidance } from '../../../src/guidance/tools/get-usage-guidance.js'
import type { getRetention } from '../../../src/lifecycle/tools/get-retention.js'
import type { setRetention } from '../../../src/lifecycle/tools/set-retention.js'
import type { getReceipts } from '../../../src/inbox/tools/get-receipts.js'
import type { listAgents } from '../../../src/inbox/tools/list-agents.js'
import type { listMemory } from '../../../src/memory/tools/list-memory.js'
import type { searchBySender } from '../../../src/search/tools/search-by-sender.js'
import type { listLeases } from '../../../src/leases/tools/list-leases.js'
import type { releaseLease } from '../../../src/leases/tools/release-lease.js'
import type { deleteSession } from '../../../src/lifecycle/tools/delete-session.js'
import type { addMessage } from '../../../src/messages/tools/add-message.js'
import type { getMessages } from '../../../src/messages/tools/get-messages.js'
import type { markRead } from '../../../src/feed/tools/mark-read.js'
import type { searchContext } from '../../../src/search/tools/search-context.js'
import type { archiveSession } from '../../../src/sessions/tools/archive-session.js'
import type { closeSession } from '../../../src/sessions/tools/close-session.js'
import type { createSession } from '../../../src/sessions/tools/create-session.js'
import type { getSession } from '../../../src/sessions/tools/get-session.js'
import type { listSessions } from '../../../src/sessions/tools/list-sessions.js'
import type { updateSession } from '../../../src/sessions/tools/update-session.js'
import type { cancelTask } from '../../../src/tasks/tools/cancel-task.js'
import type { createTask } from '../../../src/tasks/tools/create-task.js'
import type { getTask } from '../../../src/tasks/tools/get-task.js'
import type { listTasks } from '../../../src/tasks/tools/list-tasks.js'
import type { exportSession } from '../../../src/transcripts/tools/export-session.js'

/**
 * The tools that the page calls, with the types of the service's own schemas: a tool that changes breaks the check of
 * the page.
 */
interface Catalogue {
  authenticate_agent: typeof authenticateAgent
  refresh_token: typeof refreshToken
  revoke_token: typeof revokeToken
  create_api_key: typeof createApiKey
  list_api_keys: typeof listApiKeys
  revoke_api_key: typeof revokeApiKey
  get_audit_log: typeof getAuditLog
  verify_audit_log: typeof verifyAuditLog
  get_performance_metrics: typeof getPerformanceMetrics
  get_retention: typeof getRetention
  get_usage_guidance: typeof getUsageGuidance
  set_retention: typeof setRetention
  get_receipts: typeof getReceipts
  list_agents: typeof listAgents
  list_memory: typeof listMemory
  search_by_sender: typeof searchBySender
  list_leases: typeof listLeases
  release_lease: typeof releaseLease
  delete_session: typeof deleteSession
  add_message: typeof addMessage
  get_messages: typeof getMessages
  mark_read: typeof markRead
  search_context: typeof searchContext
  archive_session: typeof archiveSession
  close_session: typeof closeSession
  create_session: typeof createSession
  get_session: typeof getSession
  list_sessions: typeof listSessions
  update_session: typeof updateSession
  cancel_task: typeof cancelTask
  create_task: typeof createTask
  get_task: typeof getTask
  list_tasks: typeof listTasks
  export_session: typeof exportSession
}

/** A tool, or what makes it. */
type Made<T> = T extends (...needs: never[]) => infer R ? R : T
type Schemas<T> =
  Made<T> extends Tool<infer I, infer O, infer _P>
    ? { input: Static<I>; output: Static<O> }
    : { input: never; output: never }

export type ToolName = keyof Catalogue
export type Input<N extends ToolName> = Schemas<Catalogue[N]>['input']
export type Output<N extends ToolName> = Schemas<Catalogue[N]>['output']

type Shape<T extends TObject> = Static<T>
export type MessageView = Shape<typeof Message>
export type SessionView = Shape<typeof Session>
export type SessionRow = Shape<typeof SessionSummary>
export type TaskView = Output<'list_tasks'>['tasks'][number]
export type LeaseView = Output<'list_leases'>['leases'][number]
export type AuditRow = Output<'get_audit_log'>['entries'][number]
export type ApiKeyView = Output<'list_api_keys'>['keys'][number]
export type Figures = Output<'get_performance_metrics'>
export type SearchHit = Output<'search_context'>['results'][number]
export type Visibility = MessageView['visibility']
