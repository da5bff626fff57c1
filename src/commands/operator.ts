import { randomUUID } from 'node:crypto'
import * as audit from '../audit/store/rows.js'
import { type Agent, DEFAULT_WORKSPACE } from '../kernel/agent.js'
import { type Config, ConfigError } from '../config/config.js'
import type { AuditFields } from '../kernel/tool.js'
import type { Db } from '../postgres/schema.js'
import { acrossSession } from '../postgres/scope.js'
import { isCurrent } from '../postgres/migrate.js'
import { migrateDatabase, withOwnerConnection, openContext } from './open.js'
import { handleSignals } from './stop.js'

/** Shared by the commands that work on a workspace's data. Anyone who can use the database may run them. */

/**
 * Opens the database for `work`, which may read and write every workspace, and closes it afterwards, even if a signal
 * comes.
 * @param migrates whether to create or update the tables first, unless MIGRATE_ON_START is false
 * @throws ConfigError if the database lacks migrations, or for what `work` refuses
 */
export async function withDatabase<T>(
  work: (db: Db, config: Config) => Promise<T>,
  { migrates = false } = {}
): Promise<T> {
  const log = (line: string) => {
    console.error(line)
  }
  const signals = handleSignals()
  const context = await openContext('join', log)
  try {
    if (migrates && context.config.migrate_on_start) await migrateDatabase(context, log, signals)
    return await withOwnerConnection(context, log, signals, async db => {
      // Row-level security applies to the tables' owner too, unless it is a superuser.
      await acrossSession(db)
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

/** The request id of a command's audit rows. */
export function newCommandId(): string {
  return `command-${randomUUID()}`
}

/** Writes the audit row of a command, which no agent called. */
export async function writeAuditRow(tx: Db, workspace: string, action: string, fields: AuditFields): Promise<void> {
  await audit.writeWithoutAgent(tx, workspace, action, fields, newCommandId())
}
