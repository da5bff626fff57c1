import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { compileAccept } from '../kernel/accept.js'
import { type Permission, PERMISSIONS } from '../kernel/agent.js'
import { newApiKey } from '../agents/api-key.js'
import { AppError } from '../kernel/errors.js'
import { ConfigError } from '../config/config.js'
import * as apiKeys from '../agents/store/api-keys.js'
import * as audit from '../audit/store/rows.js'
import type { Db } from '../postgres/schema.js'
import { acrossSession } from '../postgres/scope.js'
import { needAll } from '../sessions/store/sessions.js'
import { createApiKey } from '../agents/tools/create-api-key.js'
import { revokeApiKey } from '../agents/tools/revoke-api-key.js'
import { bringUp, onOneConnection, open } from './open.js'
import { expectSignals } from './stop.js'

export const USAGE = `Say one of:
  keys create --agent <agent_id, or research-*> --type <agent_type> [--permissions read,write,admin] [--sessions <id>,<id>] [--expires-in <seconds>] [--workspace <name>]
  keys list [--all] [--workspace <name>]
  keys revoke <key_id> [--workspace <name>]`

const LISTED_AT_ONCE = 200

interface Given {
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
 * keys create | list | revoke: what the tools of these names do, for whoever has the database; and how the first key is
 * made.
 */
export async function keys([verb = '', ...rest]: string[]): Promise<void> {
  if (!Object.hasOwn(OPTIONS, verb)) throw new ConfigError(USAGE)
  const run = prepare(verb as Verb, rest)
  const tell = (line: string) => {
    console.error(line)
  }
  const signals = expectSignals()
  const opened = await open('join', tell)
  try {
    if (opened.config.migrate_on_start) await bringUp(opened, tell, signals)
    await onOneConnection(opened, tell, signals, async db => {
      // Policies hold for the owner too, unless it is a superuser.
      await acrossSession(db)
      await db.transaction().execute(run)
    })
  } catch (error) {
    if (error instanceof AppError) throw new ConfigError(error.message)
    throw error
  } finally {
    await opened.embedded?.close()
  }
}

/** The arguments checked, before anything is opened; what the tools check of theirs is checked by the same. */
function prepare(verb: Verb, args: string[]): (tx: Db) => Promise<void> {
  const { given, names } = parse(verb, args)
  const list = (text: string | undefined) => text?.split(',').map(one => one.trim())
  try {
    if (verb === 'list') return tx => print(tx, given.workspace ?? 'default', given.all === true)
    if (verb === 'revoke') {
      const { key_id, workspace = 'default' } = compileAccept<{ key_id: string; workspace?: string }>(
        revokeApiKey.input
      )({ key_id: names[0], workspace: given.workspace })
      return tx => revoke(tx, workspace, key_id)
    }
    const input = compileAccept<NewKey>(createApiKey.input)({
      agent_id: given.agent,
      agent_type: given.type,
      permissions: list(given.permissions),
      sessions: list(given.sessions),
      expires_in: given['expires-in'],
      workspace: given.workspace
    })
    return tx => create(tx, input)
  } catch (error) {
    if (error instanceof AppError) throw new ConfigError(`${error.message}\n${USAGE}`)
    throw error
  }
}

function parse(verb: Verb, args: string[]): { given: Given; names: string[] } {
  try {
    const options = Object.fromEntries(
      OPTIONS[verb].map(name => [name, { type: name === 'all' ? ('boolean' as const) : ('string' as const) }])
    )
    const { values, positionals } = parseArgs({ args, options, allowPositionals: verb === 'revoke' })
    if (verb === 'revoke' && positionals.length !== 1) throw new ConfigError(USAGE)
    return { given: values, names: positionals }
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

/** The key alone on stdout, for scripts; what it is for on stderr. */
async function create(
  tx: Db,
  { agent_id, agent_type, permissions = ['read', 'write'], sessions, expires_in = 0, workspace = 'default' }: NewKey
): Promise<void> {
  if (sessions !== undefined) await needAll(tx, { workspace }, sessions)
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
  await note(tx, workspace, 'api_key_created', key_id, {
    for_agent: agent_id,
    agent_type,
    permissions: key.permissions,
    sessions: key.sessions,
    expires_at: key.expires_at
  })
  console.log(api_key)
  console.error(
    `${key_id} in the workspace ${workspace}, for ${agent_id} (${agent_type}): ${key.permissions.join(', ')}. The key is shown this once.`
  )
}

async function print(tx: Db, workspace: string, include_revoked: boolean): Promise<void> {
  let after: { created_at: string; key_id: string } | undefined
  let count = 0
  do {
    const rows = await apiKeys.list(tx, { workspace }, { include_revoked, limit: LISTED_AT_ONCE, after })
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
    } of rows.slice(0, LISTED_AT_ONCE)) {
      console.log(
        JSON.stringify({
          key_id,
          agent_id,
          agent_type,
          permissions,
          sessions,
          created_at,
          created_by,
          expires_at,
          revoked_at
        })
      )
    }
    count += rows.length
    after = rows.length > LISTED_AT_ONCE ? rows[LISTED_AT_ONCE - 1] : undefined
  } while (after !== undefined)
  if (count === 0)
    console.error(
      `The workspace ${workspace} has no API keys${include_revoked ? '' : ' that are good; --all shows the others too'}.`
    )
}

async function revoke(tx: Db, workspace: string, key_id: string): Promise<void> {
  const revoked = await apiKeys.revoke(tx, { workspace }, key_id)
  await note(tx, workspace, 'api_key_revoked', key_id, { revoked })
  console.log(revoked ? 'revoked' : 'It had been revoked before.')
}

async function note(
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
