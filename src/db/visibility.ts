import { type RawBuilder, sql } from 'kysely'
import { type Agent, isAdmin } from '../core/agent.js'
import type { Db } from './schema.js'

/**
 * The rule of contract §4, in its one place: who sees a message. As SQL over a row that has sender, sender_type and
 * visibility under these names; `visibility` can be another column, for what a message was before a change.
 */
export function visibleTo (viewer: Agent, row: string, visibility = 'visibility'): RawBuilder<boolean> {
  if (isAdmin(viewer)) return sql<boolean>`true`
  const column = (name: string) => sql.ref(`${row}.${name}`)
  const shown = sql.ref(visibility.includes('.') ? visibility : `${row}.${visibility}`)
  return sql<boolean>`(${shown} = 'public'
    or (${shown} = 'private' and ${column('sender')} = ${viewer.agent_id})
    or (${shown} = 'agent_only' and ${column('sender_type')} = ${viewer.agent_type}))`
}

/**
 * The only door to messages for a caller: every read starts here, so the rule cannot be forgotten in one of them
 * (test/visibility.test.ts counts the places that select from messages).
 */
export function readableMessages (db: Db, viewer: Agent) {
  return db.selectFrom('messages as m').where('m.workspace', '=', viewer.workspace).where(visibleTo(viewer, 'm'))
}
