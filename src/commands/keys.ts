import { compileAccept } from '../kernel/accept.js'
import { type Permission, PERMISSIONS } from '../kernel/agent.js'
import { type ApiKey, newApiKey } from '../agents/api-key.js'
import { AppError } from '../kernel/errors.js'
import { printable } from '../kernel/text.js'
import { nameForKey } from '../agents/store/stored-agents.js'
import * as apiKeys from '../agents/store/api-keys.js'
import type { Db } from '../postgres/schema.js'
import { requireSessions } from '../sessions/store/sessions.js'
import { createApiKey } from '../agents/tools/create-api-key.js'
import { revokeApiKey } from '../agents/tools/revoke-api-key.js'
import { JSON_OUTPUT, UsageError, verb, type Verbs, WORKSPACE } from './command.js'
import { needWorkspace, notice, noticeNewWorkspace, withDatabase, workspaceOf, writeAuditRow } from './operator.js'
import { table } from './table.js'

/** Does what the tools create_api_key, list_api_keys and revoke_api_key do, for anyone who can use the database. */
export const verbs: Verbs = {
  create: verb({
    summary: 'Makes an API key for one agent, or for all whose names begin alike, and prints it.',
    options: {
      agent: {
        type: 'string',
        value: '<agent_id>',
        required: true,
        description: 'whom it is for: an agent_id, or the beginning of several and a *, such as research-*'
      },
      type: { type: 'string', value: '<agent_type>', required: true, description: 'the type of these agents' },
      permissions: {
        type: 'string',
        value: '<list>',
        description: 'what they may do, of read,write,admin; default: read,write'
      },
      sessions: {
        type: 'string',
        value: '<ids>',
        description: 'the only sessions they may see, separated by commas; default: all'
      },
      'expires-in': { type: 'string', value: '<seconds>', description: 'seconds until it ends; default: never' },
      workspace: WORKSPACE
    },
    async run({ agent, type, permissions, sessions, 'expires-in': expires_in, workspace }) {
      const list = (text: string | undefined) => text?.split(',').map(one => one.trim())
      const input = accepted<NewKey>(createApiKey.input, {
        agent_id: agent,
        agent_type: type,
        permissions: list(permissions),
        sessions: list(sessions),
        expires_in,
        workspace
      })
      console.log(await createKey(input))
    }
  }),
  list: verb({
    summary: 'Lists the API keys of a workspace, the newest first; never the keys themselves.',
    options: {
      all: { type: 'boolean', description: 'revoked and expired ones too' },
      workspace: WORKSPACE,
      json: JSON_OUTPUT
    },
    async run({ all, json, ...options }) {
      const workspace = workspaceOf(options)
      await withDatabase(db => list(db, workspace, all, json))
    }
  }),
  revoke: verb({
    summary: 'Revokes an API key, and the tokens made with it; every replica refuses them within 2 seconds.',
    operands: ['<key_id>'],
    options: { workspace: WORKSPACE },
    async run(options, [operand]) {
      const { key_id } = accepted<{ key_id: string }>(revokeApiKey.input, { key_id: operand })
      const workspace = workspaceOf(options)
      await withDatabase(db => db.transaction().execute(tx => revoke(tx, workspace, key_id)))
    }
  })
}

const PAGE = 200

/** How the command line names an argument of a tool. */
const WORDS: Record<string, string> = {
  agent_id: '--agent',
  agent_type: '--type',
  expires_in: '--expires-in',
  key_id: '<key_id>'
}

/**
 * Checks what was given with the input schema of a tool, before the database is opened.
 * @throws UsageError that names the option
 */
function accepted<T>(schema: Parameters<typeof compileAccept>[0], given: Record<string, unknown>): T {
  try {
    return compileAccept<T>(schema)(given)
  } catch (error) {
    const { argument, allowed } = error instanceof AppError ? (error.context ?? {}) : {}
    if (typeof argument !== 'string') throw error
    const [name = ''] = argument.split('/')
    throw new UsageError(`${WORDS[name] ?? `--${name}`} must be ${String(allowed)}.`)
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

/** Makes a key in the database. @returns the key, which is shown only once */
export function createKey(input: NewKey): Promise<string> {
  return withDatabase(db => db.transaction().execute(tx => create(tx, input)), { begins: true })
}

async function create(
  tx: Db,
  { agent_id, agent_type, permissions = ['read', 'write'], sessions, expires_in = 0, ...options }: NewKey
): Promise<string> {
  const workspace = workspaceOf(options)
  await noticeNewWorkspace(tx, workspace)
  if (sessions !== undefined) await requireSessions(tx, { workspace }, sessions)
  const { api_key, key_id, hash } = newApiKey()
  const key = await apiKeys.create(tx, {
    workspace,
    key_id,
    hash,
    agent_id: await nameForKey(tx, workspace, agent_id),
    agent_type,
    permissions: PERMISSIONS.filter(permission => permissions.includes(permission)),
    sessions: sessions ?? null,
    created_by: null,
    created_with: null,
    expires_in: expires_in === 0 ? undefined : expires_in,
    until: undefined
  })
  await writeAuditRow(tx, workspace, 'keys create', {
    event_type: 'api_key_created',
    resource: `api_key:${key_id}`,
    metadata: {
      for_agent: key.agent_id,
      agent_type,
      permissions: key.permissions,
      sessions: key.sessions,
      expires_at: key.expires_at
    }
  })
  notice(
    `${key_id} in the workspace ${workspace}, for ${printable(`${key.agent_id} (${agent_type})`)}: ` +
      `${key.permissions.join(', ')}. The key is shown only once.`
  )
  return api_key
}

async function list(db: Db, workspace: string, include_revoked: boolean, json: boolean): Promise<void> {
  await needWorkspace(db, workspace)
  const keys: ApiKey[] = []
  for (let after: ApiKey | undefined, more = true; more; after = keys.at(-1)) {
    const rows = await apiKeys.list(db, { workspace }, { include_revoked, limit: PAGE, after })
    keys.push(...rows.slice(0, PAGE))
    more = rows.length > PAGE
  }
  if (json) {
    for (const { workspace: _workspace, created_with: _with, ...shown } of keys)
      console.log(printable(JSON.stringify(shown)))
  } else if (keys.length > 0) {
    const rows = keys.map(({ key_id, agent_id, agent_type, permissions, sessions, created_at, ...key }) => [
      key_id,
      agent_id,
      agent_type,
      permissions.join(','),
      sessions === null ? 'all' : String(sessions.length),
      created_at,
      key.revoked_at !== null ? `revoked ${key.revoked_at}` : (key.expires_at ?? 'never')
    ])
    console.log(table(['KEY', 'AGENT', 'TYPE', 'PERMISSIONS', 'SESSIONS', 'CREATED', 'ENDS'], rows))
  }
  if (keys.length === 0)
    notice(
      `The workspace ${workspace} has no ` +
        (include_revoked ? 'API keys.' : 'valid API keys; --all shows revoked and expired ones too.')
    )
}

async function revoke(tx: Db, workspace: string, key_id: string): Promise<void> {
  await needWorkspace(tx, workspace)
  const revoked = await apiKeys.revoke(tx, { workspace }, key_id)
  await writeAuditRow(tx, workspace, 'keys revoke', {
    event_type: 'api_key_revoked',
    resource: `api_key:${key_id}`,
    metadata: { revoked }
  })
  console.log(revoked ? 'revoked' : 'The key was already revoked.')
}
