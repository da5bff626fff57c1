import { createHash } from 'node:crypto'
import type { Agent } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'
import { needWholeWorkspace } from '../agents/whole-workspace.js'
import type { Db } from '../postgres/schema.js'
import * as sessions from '../sessions/store/sessions.js'
import { Nullable } from '../kernel/answer-shapes.js'
import { OneOf } from '../kernel/schema.js'
import { Type } from '@sinclair/typebox'
import { isPath, namespaceOf, pathOf } from './namespace.js'
import { GLOBAL, type Scope, type Where } from './store/entries.js'
import { makeRoot, notYours, rightsIn } from './store/namespaces.js'

/** From what the arguments of a tool name to where it is stored. */

/** How an answer says where a value is. */
export const placeFields = {
  scope: OneOf(['session', 'global', 'namespace']),
  namespace: Nullable(Type.String())
}

export function placeOf(scope: Scope) {
  const shared = isPath(scope)
  const word: 'session' | 'global' | 'namespace' = shared ? 'namespace' : scope === GLOBAL ? 'global' : 'session'
  return { scope: word, namespace: shared ? namespaceOf(scope) : null }
}

export interface Named {
  session_id?: string
  namespace?: string
}

/** Nobody has this agent_id. What may not be read lies here: it is absent, in the same words as what is not there. */
const NOBODY = ''

/**
 * Where a value is read. A session must exist.
 * @throws AppError SESSION_NOT_FOUND; INVALID_INPUT for both; PERMISSION_DENIED for a namespace, if the agent is
 * limited to certain sessions
 */
export async function whereToRead(db: Db, agent: Agent, named: Named): Promise<Where> {
  const path = pathIn(agent, named)
  if (path === undefined) return { owner: agent.agent_id, scope: await scopeOf(db, agent, named.session_id) }
  const rights = await rightsIn(db, agent, path)
  return { owner: rights?.reads === true ? rights.payer : NOBODY, scope: path }
}

/**
 * Where a value is written or deleted; undefined: in a namespace whose first part nobody has made.
 * @throws AppError as `whereToRead`; PERMISSION_DENIED for a namespace that the agent may not write into
 */
export async function whereToWrite(db: Db, agent: Agent, named: Named): Promise<Where | undefined> {
  const path = pathIn(agent, named)
  if (path === undefined) return { owner: agent.agent_id, scope: await scopeOf(db, agent, named.session_id) }
  const rights = await rightsIn(db, agent, path)
  if (rights === undefined) return undefined
  if (!rights.writes) throw notYours(agent, 'write into', path)
  return { owner: rights.payer, scope: path }
}

/** The same, and makes the namespace. @throws AppError SESSION_CLOSED too */
export async function whereToStore(tx: Db, agent: Agent, named: Named): Promise<Where> {
  await refuseClosed(tx, agent, named.session_id)
  const found = await whereToWrite(tx, agent, named)
  if (found !== undefined) return found
  await makeRoot(tx, agent, pathOf(named.namespace as string))
  return (await whereToWrite(tx, agent, named)) as Where
}

/** Not locked: a session that is closed at this very moment may still get a value. */
export async function refuseClosed(db: Db, agent: Agent, session_id: string | undefined): Promise<void> {
  if (session_id !== undefined && !(await sessions.readSessionOrThrow(db, agent, session_id)).is_active)
    throw sessions.sessionClosed()
}

/** Where a value is deleted: what may not be read is absent, and so nothing is there to delete. */
export async function whereToDelete(db: Db, agent: Agent, named: Named): Promise<Where> {
  const path = pathIn(agent, named)
  const rights = path === undefined ? undefined : await rightsIn(db, agent, path)
  if (path !== undefined && rights?.reads !== true) return { owner: NOBODY, scope: path }
  return (await whereToWrite(db, agent, named)) ?? { owner: NOBODY, scope: path as string }
}

/** The scope an argument names; a session must exist. @throws AppError SESSION_NOT_FOUND */
async function scopeOf(db: Db, agent: Agent, session_id: string | undefined): Promise<Scope> {
  if (session_id === undefined) return GLOBAL
  await sessions.readSessionOrThrow(db, agent, session_id)
  return session_id
}

function pathIn(agent: Agent, { namespace, session_id }: Named): string | undefined {
  if (namespace === undefined) return undefined
  if (session_id !== undefined)
    throw new AppError('INVALID_INPUT', 'A value is in a session or in a namespace, not in both.', {
      context: { argument: 'namespace', given: 'a namespace and a session_id', allowed: 'one of the two' },
      suggestions: ['Leave session_id out for memory that is shared', 'Or leave namespace out for your own']
    })
  needWholeWorkspace(agent)
  return pathOf(namespace)
}

/** Names a key in the audit log without telling it: the beginning of its SHA-256. */
export function memoryResource(key: string): string {
  return `memory:${createHash('sha256').update(key).digest('hex').slice(0, 16)}`
}
