import { randomBytes } from 'node:crypto'
import { type Agent, mayEnter } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import type { Db } from '../../postgres/schema.js'
import { sessionColumns, type SessionRow } from './sessions.js'

export function newSessionId(): string {
  return `session_${randomBytes(8).toString('hex')}`
}

/**
 * Makes a session; or, if there is one with the key, returns that. Of many callers at the same time exactly one makes
 * it.
 * @throws AppError PERMISSION_DENIED if the agent is limited to certain sessions, which cannot include a new one
 */
export async function createSession(
  db: Db,
  agent: Agent,
  { purpose, metadata, key }: { purpose: string; metadata: Record<string, unknown>; key?: string }
): Promise<{ session: SessionRow; created: boolean }> {
  for (let tries = 0; tries < CREATE_TRIES; tries++) {
    const found = key === undefined ? undefined : await findByKey(db, agent.workspace, key)
    // Another session than those the agent may enter is none, and its key is taken all the same.
    if (found !== undefined && mayEnter(agent, found.id)) return { session: found, created: false }
    if (agent.sessions !== undefined) throw mayOpenNone(agent, agent.sessions)
    const session = await db
      .insertInto('sessions')
      .values({
        workspace: agent.workspace,
        id: newSessionId(),
        purpose,
        metadata: JSON.stringify(metadata),
        created_by: agent.agent_id,
        key: key ?? null
      })
      // Waits for another transaction that makes it at this moment.
      .onConflict(conflict => conflict.columns(['workspace', 'key']).where('key', 'is not', null).doNothing())
      .returning(sessionColumns)
      .executeTakeFirst()
    if (session !== undefined) return { session, created: true }
  }
  throw new AppError('CONFLICT', 'Sessions with that key are being made and deleted at this very moment.', {
    context: { argument: 'key' }
  })
}

/** One that was there may be deleted before it is read. */
const CREATE_TRIES = 5

async function findByKey(db: Db, workspace: string, key: string): Promise<SessionRow | undefined> {
  return db
    .selectFrom('sessions')
    .select(sessionColumns)
    .where('workspace', '=', workspace)
    .where('key', '=', key)
    .executeTakeFirst()
}

function mayOpenNone({ permissions }: Agent, sessions: readonly string[]): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'Your credentials are limited to certain sessions, and cannot open others.',
    {
      context: { limited_to_sessions: sessions.length, current_permissions: permissions },
      suggestions: ['Work in a session that list_sessions shows', 'Or ask an agent without that limit to open one']
    }
  )
}
