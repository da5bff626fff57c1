import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { compileAccept } from '../kernel/accept.js'
import { type Permission, PERMISSIONS } from '../kernel/agent.js'
import { newApiKey } from '../agents/api-key.js'
import { AppError } from '../kernel/errors.js'
import { printable } from '../kernel/text.js'
import { ConfigError } from '../config/config.js'
import * as apiKeys from '../agents/store/api-keys.js'
import * as audit from '../audit/store/rows.js'
import type { Db } from '../postgres/schema.js'
import { acrossSession } from '../postgres/scope.js'
import { requireSessions } from '../sessions/store/sessions.js'
import { createApiKey } from '../agents/tools/create-api-key.js'
import { revokeApiKey } from '../agents/tools/revoke-api-key.js'
import { migrateDatabase, withOwnerConnection, openContext } from './open.js'
import { handleSignals } from './stop.js'

export const USAGE = `Usage:
  keys create --agent <agent_id, or research-*> --type <agent_type> [--permissions read,write,admin]
              [--sessions <id>,<id>] [--expires-in <seconds>] [--workspace <name>]
  keys list [--all] [--workspace <name>]
  keys revoke <key_id> [--workspace <name>]`

const PAGE = 200

interface KeyOptions {
  agent?: string
  type?: string
  permissions?: string
  sessions?: string
  'expires-in'?: string
  workspace?: string
  all?: boolean
}
const OPTIONS = {
  create: ['agent', 'type', 'permissions', 'sessions', 'expires-in', 'workspace'],
  list: ['all', 'workspace'],
  revoke: ['workspace']
} as const
type Verb = keyof typeof OPTIONS

/**
 * keys create | list | revoke: does what the tools create_api_key, list_api_keys and revoke_api_key do, for anyone who
 * can use the database. It also creates the first key of an installation.
 * @throws ConfigError if the arguments are wrong
 */
export async function keys([verb = '', ...rest]: string[]): Promise<void> {
  if (!Object.hasOwn(OPTIONS, verb)) throw new ConfigError(USAGE)
  const run = prepare(verb as Verb, rest)
  const log = (line: string) => {
    console.error(line)
  }
  const signals = handleSignals()
  const context = await openContext('join', log)
  try {
    if (context.config.migrate_on_start) await migrateDatabase(context, log, signals)
    await withOwnerConnection(context, log, signals, async db => {
      // Row-level security applies to the tables' owner too, unless it is a superuser.
      await acrossSession(db)
      await db.transaction().execute(run)
    })
  } catch (error) {
    if (error instanceof AppError) throw new ConfigError(error.message)
    throw error
  } finally {
    await context.embedded?.close()
  }
}

/** Checks the arguments before the database is opened, with the input schemas of the tools. */
function prepare(verb: Verb, args: string[]): (tx: Db) => Promise<void> {
  const { options, names } = parse(verb, args)
  const list = (text: string | undefined) => text?.split(',').map(one => one.trim())
  try {
    if (verb === 'list') return tx => printKeys(tx, options.workspace ?? 'default', options.all === true)
    if (verb === 'revoke') {
      const { key_id, workspace = 'default' } = compileAccept<{ key_id: string; workspace?: string }>(
        revokeApiKey.input
      )({ key_id: names[0], workspace: options.workspace })
      return tx => revoke(tx, workspace, key_id)
    }
    const input = compileAccept<NewKey>(createApiKey.input)({
      agent_id: options.agent,
      agent_type: options.type,
      permissions: list(options.permissions),
      sessions: list(options.sessions),
      expires_in: options['expires-in'],
      workspace: options.workspace
    })
    return tx => create(tx, input)
  } catch (error) {
    if (error instanceof AppError) throw new ConfigError(`${error.message}\n${USAGE}`)
    throw error
  }
}

function parse(verb: Verb, args: string[]): { options: KeyOptions; names: string[] } {
  try {
    const options = Object.fromEntries(
      OPTIONS[verb].map(name => [name, { type: name === 'all' ? ('boolean' as const) : ('string' as const) }])
    )
    const { values, positionals } = parseArgs({ args, options, allowPositionals: verb === 'revoke' })
    if (verb === 'revoke' && positionals.length !== 1) throw new ConfigError(USAGE)
    return { options: values, names: positionals }
  } catch {
    throw new ConfigError(USAGE)
  }
}

interface NewKey {
  agent_id: string
  agent_type: string
  permissions?: Permission[]
  sessions?: string[]
  expires_in?: number
  workspace?: string
}

/** Prints only the key to stdout, for scripts; its description goes to stderr. */
async function create(
  tx: Db,
  { agent_id, agent_type, permissions = ['read', 'write'], sessions, expires_in = 0, workspace = 'default' }: NewKey
): Promise<void> {
  if (sessions !== undefined) await requireSessions(tx, { workspace }, sessions)
  const { api_key, key_id, hash } = newApiKey()
  const key = await apiKeys.create(tx, {
    workspace,
    key_id,
    hash,
    agent_id,
    agent_type,
    permissions: PERMISSIONS.filter(permission => permissions.includes(permission)),
    sessions: sessions ?? null,
    created_by: null,
    created_with: null,
    expires_in: expires_in === 0 ? undefined : expires_in,
    until: undefined
  })
  await writeAuditRow(tx, workspace, 'api_key_created', key_id, {
    for_agent: agent_id,
    agent_type,
    permissions: key.permissions,
    sessions: key.sessions,
    expires_at: key.expires_at
  })
  console.log(api_key)
  console.error(
    `${key_id} in the workspace ${workspace}, for ${printable(`${agent_id} (${agent_type})`)}: ` +
      `${key.permissions.join(', ')}. ` +
      'The key is shown only once.'
  )
}

async function printKeys(tx: Db, workspace: string, include_revoked: boolean): Promise<void> {
  let after: { created_at: string; key_id: string } | undefined
  let count = 0
  do {
    const rows = await apiKeys.list(tx, { workspace }, { include_revoked, limit: PAGE, after })
    for (const {
      key_id,
      agent_id,
      agent_type,
      permissions,
      sessions,
      created_at,
      created_by,
      expires_at,
      revoked_at
    } of rows.slice(0, PAGE)) {
      const shown = {
        key_id,
        agent_id,
        agent_type,
        permissions,
        sessions,
        created_at,
        created_by,
        expires_at,
        revoked_at
      }
      console.log(printable(JSON.stringify(shown)))
    }
    count += rows.length
    after = rows.length > PAGE ? rows[PAGE - 1] : undefined
  } while (after !== undefined)
  if (count === 0)
    console.error(
      `The workspace ${workspace} has no ${include_revoked ? '' : 'valid '}API keys` +
        `${include_revoked ? '' : '; --all shows revoked and expired ones too'}.`
    )
}

async function revoke(tx: Db, workspace: string, key_id: string): Promise<void> {
  const revoked = await apiKeys.revoke(tx, { workspace }, key_id)
  await writeAuditRow(tx, workspace, 'api_key_revoked', key_id, { revoked })
  console.log(revoked ? 'revoked' : 'The key was already revoked.')
}

async function writeAuditRow(
  tx: Db,
  workspace: string,
  event_type: string,
  key_id: string,
  metadata: Record<string, unknown>
): Promise<void> {
  await audit.write(tx, {
    workspace,
    event_type,
    agent_id: null,
    session_id: null,
    action: 'keys',
    resource: `api_key:${key_id}`,
    result: 'success',
    request_id: randomUUID(),
    metadata: { by: 'command', ...metadata }
  })
}
