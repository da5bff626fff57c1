import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as audit from '../audit/store/rows.js'
import { type Agent, DEFAULT_WORKSPACE } from '../kernel/agent.js'
import { type Config, loadConfig } from '../config/config.js'
import type { AuditFields } from '../kernel/tool.js'
import { knownWorkspaces } from '../lifecycle/store/known.js'
import type { Db } from '../postgres/schema.js'
import { systemRoot } from '../postgres/embedded/binaries.js'
import { isCurrent } from '../postgres/migrate.js'
import { meant } from './command.js'
import { defaultDataDir } from './data-folder.js'
import { CommandError } from './failure.js'
import { notice } from './notice.js'
import { migrateDatabase, withOwnerConnection, openContext } from './open.js'
import { handleSignals } from './stop.js'

/** Shared by the commands that work on a workspace's data. Anyone who can use the database may run them. */

/**
 * Opens the database for `work`, which may read and write every workspace, and closes it afterwards. A signal ends the
 * program; what is not committed then has not happened.
 * @param begins whether an installation may begin with this command: then it makes what is missing, the data folder and
 *   the tables (those not with MIGRATE_ON_START=false)
 * @throws CommandError if the database lacks migrations, or for what `work` refuses
 */
export async function withDatabase<T>(
  work: (db: Db, config: Config) => Promise<T>,
  { begins = false } = {}
): Promise<T> {
  const signals = handleSignals()
  if (!begins) needData()
  const context = await openContext('join', notice)
  try {
    if (begins && context.config.migrate_on_start) await migrateDatabase(context, notice, signals)
    return await withOwnerConnection(context, notice, signals, async db => {
      if (!(await isCurrent(db)))
        throw new CommandError('The database lacks migrations of this version. Run the command migrate first.')
      signals.onStop(exit_code => {
        notice('Stopped.')
        void context.embedded?.close().finally(() => process.exit(exit_code))
        if (context.embedded === undefined) process.exit(exit_code)
      })
      return work(db, context.config)
    })
  } finally {
    await context.embedded?.close()
  }
}

/**
 * A command that only works on what is there must not make a new database: the variables are most likely not set as for
 * the service.
 */
function needData(): void {
  const { database_url, data_dir } = loadConfig(process.env)
  if (database_url !== undefined) return
  const folder = resolve(data_dir ?? defaultDataDir())
  // Root has its data there if PostgreSQL's user cannot enter the default folder (docs/operations.md, Install).
  const rootFolder = join(systemRoot, 'data')
  if (existsSync(folder) || (data_dir === undefined && existsSync(rootFolder))) return
  throw new CommandError(
    `There are no data in ${folder}. Set DATA_DIR or DATABASE_URL as for the service, or start the service first.`
  )
}

export { notice }

/**
 * Refuses a workspace that has nothing yet: it is most likely mistyped.
 * @throws CommandError that names the nearest workspace
 */
export async function needWorkspace(db: Db, workspace: string): Promise<void> {
  const known = await knownWorkspaces(db)
  if (known.includes(workspace)) return
  const few = known.length <= 10 ? ` There are: ${known.join(', ')}.` : ''
  throw new CommandError(`There is no workspace '${workspace}'.${meant(workspace, known)}${few}`)
}

/** Says that a workspace begins with what the command does, in case its name is mistyped. */
export async function noticeNewWorkspace(db: Db, workspace: string): Promise<void> {
  const known = await knownWorkspaces(db)
  if (!known.includes(workspace)) notice(`The workspace ${workspace} is new.${meant(workspace, known)}`)
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

/** The workspace of an option, or the default one. */
export function workspaceOf({ workspace = DEFAULT_WORKSPACE }: { workspace?: string | undefined }): string {
  return workspace
}
