import type { Tool } from '../core/tool.js'
import { addMessage } from './add-message.js'
import { addMessages } from './add-messages.js'
import { archiveSession } from './archive-session.js'
import { authenticateAgent } from './authenticate-agent.js'
import { createApiKey } from './create-api-key.js'
import { closeSession } from './close-session.js'
import { createSession } from './create-session.js'
import { createToken } from './create-token.js'
import { deleteMemory } from './delete-memory.js'
import { deleteMessage } from './delete-message.js'
import { deleteSession } from './delete-session.js'
import { eraseAgent } from './erase-agent.js'
import { exportSession } from './export-session.js'
import { getAuditLog } from './get-audit-log.js'
import { getMemory } from './get-memory.js'
import { getMessages } from './get-messages.js'
import { getPerformanceMetrics } from './get-performance-metrics.js'
import { getRetention } from './get-retention.js'
import { getSession } from './get-session.js'
import { getUsageGuidance } from './get-usage-guidance.js'
import { listApiKeys } from './list-api-keys.js'
import { importSession } from './import-session.js'
import { listMemory } from './list-memory.js'
import { listSessions } from './list-sessions.js'
import { markRead } from './mark-read.js'
import { refreshToken } from './refresh-token.js'
import { revokeApiKey } from './revoke-api-key.js'
import { revokeToken } from './revoke-token.js'
import { searchBySender } from './search-by-sender.js'
import { searchByTimerange } from './search-by-timerange.js'
import { searchContext } from './search-context.js'
import { setMemory } from './set-memory.js'
import { setMessageVisibility } from './set-message-visibility.js'
import { setRetention } from './set-retention.js'
import { updateSession } from './update-session.js'
import { verifyAuditLog } from './verify-audit-log.js'
import { waitForMessages } from './wait-for-messages.js'

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
