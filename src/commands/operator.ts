import { randomUUID } from 'node:crypto'
import { type Agent, DEFAULT_WORKSPACE } from '../kernel/agent.js'
import { type Config, ConfigError } from '../config/config.js'
import type { AuditRow } from '../kernel/receipt.js'
import type { AuditFields } from '../kernel/tool.js'
import type { Db } from '../postgres/schema.js'
import { isCurrent } from '../postgres/migrate.js'
import { withOwnerConnection, openContext } from './open.js'
import { handleSignals } from './stop.js'

/** Shared by the commands that work on a workspace's data. Anyone who can use the database may run them. */

/**
 * Opens the database for `work` and closes it afterwards, even if a signal comes.
 * @throws ConfigError if the database lacks migrations
 */
export async function withDatabase<T>(work: (db: Db, config: Config) => Promise<T>): Promise<T> {
  const log = (line: string) => {
    console.error(line)
  }
  const signals = handleSignals()
  const context = await openContext('join', log)
  try {
    return await withOwnerConnection(context, log, signals, async db => {
      if (!(await isCurrent(db)))
        throw new ConfigError('The database lacks migrations of this version. Run the command migrate first.')
      return work(db, context.config)
    })
  } finally {
    await context.embedded?.close()
  }
}

/**
 * Separates the option `--workspace <name>` from the positional arguments.
 * @throws ConfigError for any other option
 */
export function parseWorkspaceOption(args: string[], usage: string): { positionals: string[]; workspace: string } {
  const index = args.indexOf('--workspace')
  const workspace = index < 0 ? DEFAULT_WORKSPACE : args[index + 1]
  const positionals = index < 0 ? args : args.filter((_, i) => i !== index && i !== index + 1)
  if (workspace === undefined || positionals.some(word => word.startsWith('--'))) throw new ConfigError(usage)
  return { positionals, workspace }
}

/** The agent as which a command reads: an admin, so that the visibility rules hide nothing. */
export function operator(workspace: string): Agent {
  return { workspace, agent_id: 'operator', agent_type: 'operator', permissions: ['read', 'write', 'admin'] }
}

/** The audit row of a command, which no agent ran. */
export function operatorAuditRow(
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
