import type { Tool } from './kernel/tool.js'
import { addMessage } from './messages/tools/add-message.js'
import { addMessages } from './messages/tools/add-messages.js'
import { archiveSession } from './sessions/tools/archive-session.js'
import { authenticateAgent } from './agents/tools/authenticate-agent.js'
import { createApiKey } from './agents/tools/create-api-key.js'
import { closeSession } from './sessions/tools/close-session.js'
import { createSession } from './sessions/tools/create-session.js'
import { createToken } from './agents/tools/create-token.js'
import { deleteMemory } from './memory/tools/delete-memory.js'
import { deleteMessage } from './messages/tools/delete-message.js'
import { deleteSession } from './lifecycle/tools/delete-session.js'
import { eraseAgent } from './lifecycle/tools/erase-agent.js'
import { exportSession } from './transcripts/tools/export-session.js'
import { getAuditLog } from './audit/tools/get-audit-log.js'
import { getMemory } from './memory/tools/get-memory.js'
import { getMessages } from './messages/tools/get-messages.js'
import { getPerformanceMetrics } from './guidance/tools/get-performance-metrics.js'
import { getRetention } from './lifecycle/tools/get-retention.js'
import { getSession } from './sessions/tools/get-session.js'
import { getUsageGuidance } from './guidance/tools/get-usage-guidance.js'
import { listApiKeys } from './agents/tools/list-api-keys.js'
import { importSession } from './transcripts/tools/import-session.js'
import { listMemory } from './memory/tools/list-memory.js'
import { listSessions } from './sessions/tools/list-sessions.js'
import { markRead } from './feed/tools/mark-read.js'
import { refreshToken } from './agents/tools/refresh-token.js'
import { revokeApiKey } from './agents/tools/revoke-api-key.js'
import { revokeToken } from './agents/tools/revoke-token.js'
import { searchBySender } from './search/tools/search-by-sender.js'
import { searchByTimerange } from './search/tools/search-by-timerange.js'
import { searchContext } from './search/tools/search-context.js'
import { setMemory } from './memory/tools/set-memory.js'
import { setMessageVisibility } from './messages/tools/set-message-visibility.js'
import { setRetention } from './lifecycle/tools/set-retention.js'
import { updateSession } from './sessions/tools/update-session.js'
import { verifyAuditLog } from './audit/tools/verify-audit-log.js'
import { waitForMessages } from './feed/tools/wait-for-messages.js'

/** Every tool, in the order in which clients see them. */
export const tools: readonly Tool[] = [
  authenticateAgent,
  refreshToken,
  revokeToken,
  createToken,
  createSession,
  getSession,
  listSessions,
  updateSession,
  closeSession,
  archiveSession,
  deleteSession,
  exportSession,
  importSession,
  addMessage,
  addMessages,
  getMessages,
  waitForMessages,
  markRead,
  setMessageVisibility,
  deleteMessage,
  searchContext,
  searchBySender,
  searchByTimerange,
  setMemory,
  getMemory,
  listMemory,
  deleteMemory,
  getUsageGuidance,
  createApiKey,
  listApiKeys,
  revokeApiKey,
  getPerformanceMetrics,
  getAuditLog,
  verifyAuditLog,
  getRetention,
  setRetention,
  eraseAgent
]
