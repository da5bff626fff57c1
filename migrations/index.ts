import { type Migration, sql } from 'kysely'
import * as sessionsAndMessages from './0001-sessions-and-messages.js'
import * as agentMemory from './0002-agent-memory.js'
import * as auditLog from './0003-audit-log.js'
import * as callers from './0004-callers.js'
import * as searchIndex from './0005-search-index.js'
import * as feed from './0006-feed.js'
import * as reading from './0007-reading.js'
import * as workspaceFeed from './0008-workspace-feed.js'
import * as searchWordsByLength from './0009-search-words-by-length.js'
import * as apiKeys from './0010-api-keys.js'
import * as limits from './0012-limits.js'
import * as auditChain from './0013-audit-chain.js'
import * as lifeOfData from './0014-life-of-data.js'
import * as rowLevelSecurity from './0015-row-level-security.js'
import * as searchSecret from './0016-search-secret.js'
import * as auditRetention from './0017-audit-retention.js'
import * as seenBySome from './0018-seen-by-some.js'
import * as searchBySession from './0078-search-by-session.js'
import * as mcpSessionOpeners from './0090-mcp-session-openers.js'
import * as fullWidthMentions from './0091-full-width-mentions.js'
import * as tasks from './0092-tasks.js'
import * as leases from './0093-leases.js'
import * as inbox from './0094-inbox.js'
import * as sharedMemory from './0095-shared-memory.js'
import * as sessionKeys from './0096-session-keys.js'
import * as replicaFigures from './0097-replica-figures.js'
import * as historyOfManyValues from './0098-history-of-many-values.js'
import * as openTasks from './0099-open-tasks.js'
import * as latestMemory from './0100-latest-memory.js'
import * as memoryOfSessions from './0101-memory-of-sessions.js'
import { type Preparation, statementOf } from './preparation.js'

/** Every migration in its order. Frozen once released: a mistake is mended by a further one. */
export const migrations: Record<string, Migration & { before?: readonly Preparation[] }> = {
  '0001-sessions-and-messages': sessionsAndMessages,
  '0002-agent-memory': agentMemory,
  '0003-audit-log': auditLog,
  '0004-callers': callers,
  '0005-search-index': searchIndex,
  '0006-feed': feed,
  '0007-reading': reading,
  '0008-workspace-feed': workspaceFeed,
  '0009-search-words-by-length': searchWordsByLength,
  '0010-api-keys': apiKeys,
  '0012-limits': limits,
  '0013-audit-chain': auditChain,
  '0014-life-of-data': lifeOfData,
  '0015-row-level-security': rowLevelSecurity,
  '0016-search-secret': searchSecret,
  '0017-audit-retention': auditRetention,
  '0018-seen-by-some': seenBySome,
  '0078-search-by-session': searchBySession,
  '0090-mcp-session-openers': mcpSessionOpeners,
  '0091-full-width-mentions': fullWidthMentions,
  '0092-tasks': tasks,
  '0093-leases': leases,
  '0094-inbox': inbox,
  '0095-shared-memory': sharedMemory,
  '0096-session-keys': sessionKeys,
  '0097-replica-figures': replicaFigures,
  '0098-history-of-many-values': historyOfManyValues,
  '0099-open-tasks': openTasks,
  '0100-latest-memory': latestMemory,
  '0101-memory-of-sessions': memoryOfSessions
}

/** The same for a database that nobody uses yet: each does by itself what else is done before it. */
export const wholeMigrations: Record<string, Migration> = Object.fromEntries(
  Object.entries(migrations).map(([name, migration]) => [
    name,
    {
      ...migration,
      async up(db) {
        for (const each of migration.before ?? []) await sql.raw(statementOf(each)).execute(db)
        await migration.up(db)
      }
    }
  ])
)
