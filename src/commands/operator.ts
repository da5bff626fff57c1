import { randomUUID } from 'node:crypto'
import { type Agent, DEFAULT_WORKSPACE } from '../kernel/agent.js'
import { type Config, ConfigError } from '../config/config.js'
import type { AuditRow } from '../kernel/receipt.js'
import type { AuditFields } from '../kernel/tool.js'
import type { Db } from '../postgres/schema.js'
import { acrossSession } from '../postgres/scope.js'
import { isCurrent } from '../postgres/migrate.js'
import { onOneConnection, open } from './open.js'
import { expectSignals } from './stop.js'

/** Commands that work on data: run by whoever may use the database, for an administrator of a workspace. */

/** Opens the database for a command and leaves it properly, whatever signal comes. */
export async function withDatabase<T>(work: (db: Db, config: Config) => Promise<T>): Promise<T> {
  const tell = (line: string) => {
    console.error(line)
  }
  const signals = expectSignals()
  const opened = await open('join', tell)
  try {
    return await onOneConnection(opened, tell, signals, async db => {
      // Policies hold for the owner too, unless it is a superuser.
      await acrossSession(db)
      if (!(await isCurrent(db)))
        throw new ConfigError('The database lacks migrations of this version; run the command migrate first.')
      return work(db, opened.config)
    })
  } finally {
    await opened.embedded?.close()
  }
}

/** The words of a command without `--workspace <name>`. @throws ConfigError for another option */
export function wordsAndWorkspace(args: string[], usage: string): { words: string[]; workspace: string } {
  const at = args.indexOf('--workspace')
  const workspace = at < 0 ? DEFAULT_WORKSPACE : args[at + 1]
  const words = at < 0 ? args : args.filter((_, i) => i !== at && i !== at + 1)
  if (workspace === undefined || words.some(word => word.startsWith('--'))) throw new ConfigError(usage)
  return { words, workspace }
}

/** Who a command is to the rules of visibility. */
export function operator(workspace: string): Agent {
  return { workspace, agent_id: 'operator', agent_type: 'operator', permissions: ['read', 'write', 'admin'] }
}

/** The audit row of a command: by no agent. */
export function byOperator(
  workspace: string,
  action: string,
  { event_type, session_id, resource, metadata = {} }: AuditFields
): AuditRow {
  return {
    workspace,
    event_type,
    agent_id: null,
    session_id: session_id ?? null,
    action,
    resource: resource ?? null,
    result: 'success',
    request_id: `command-${randomUUID()}`,
    metadata
  }
}
