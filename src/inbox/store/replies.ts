import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { messageColumns, messageOf, type MessageRow, type StoredMessage } from '../../messages/store/messages.js'
import type { Db } from '../../postgres/schema.js'
import { sessionNotFound } from '../../sessions/store/sessions.js'
import { readableMessages } from '../../visibility/visibility.js'

/**
 * The first answer to a message by one of those it was addressed to, as the viewer may see it, and in the same snapshot
 * the session's last seq, and whether it is open.
 * @throws AppError SESSION_NOT_FOUND
 */
export async function firstReply(
  db: Db,
  viewer: Agent,
  { id, session_id, to }: { id: number; session_id: string; to: readonly string[] }
): Promise<{ reply: MessageRow | undefined; head: number; is_active: boolean }> {
  const reply = readableMessages(db, viewer)
    .where('m.session_id', '=', session_id)
    .where('m.parent_message_id', '=', id)
    .where(sql<boolean>`(m.sender = any(${to}::text[]) or 'type:' || m.sender_type = any(${to}::text[]))`)
    .select(messageColumns)
    .orderBy('m.seq')
    .limit(1)
  const { rows } = await sql<StoredMessage & { head: number; is_active: boolean; id: number | null }>`
    select s.last_seq as head, s.is_active, m.* from sessions s left join lateral (${reply}) m on true
    where s.workspace = ${viewer.workspace} and s.id = ${session_id}`.execute(db)
  const [row] = rows
  if (row === undefined) throw sessionNotFound()
  const { head, is_active, ...stored } = row
  return { reply: stored.id === null ? undefined : messageOf(stored), head, is_active }
}
