import type { Agent } from '../kernel/agent.js'
import { foreignCursor, openCursor, sealCursor } from '../kernel/cursor.js'
import type { Receipt } from '../kernel/receipt.js'
import { parseTime } from '../kernel/time.js'
import { write as writeAuditRow } from '../audit/store/rows.js'
import type { Db } from '../postgres/schema.js'
import { inWorkspace, transact, type Unscoped } from '../postgres/scope.js'
import { readSessionOrThrow } from '../sessions/store/sessions.js'
import { type InboxMessage, inboxPage, type InboxPlace, type InboxRequest } from './store/inbox-pages.js'
import { setReadThese } from './store/receipts.js'

export type InboxArguments = Omit<InboxRequest, 'after'> & { cursor?: string }

export interface InboxAnswer {
  messages: InboxMessage[]
  count: number
  has_more: boolean
  next_cursor: string | null
}

const listOf = ({ unread_only, unacked_only, session_id }: InboxArguments) => [
  'get_inbox',
  unread_only,
  unacked_only,
  session_id
]

/** @throws AppError INVALID_INPUT for another list's cursor, SESSION_NOT_FOUND */
export async function readInbox(db: Db, agent: Agent, given: InboxArguments): Promise<InboxAnswer> {
  const { cursor, session_id } = given
  const after = cursor === undefined ? undefined : placeIn(openCursor(listOf(given), cursor))
  if (session_id !== undefined) await readSessionOrThrow(db, agent, session_id)
  const { messages, next } = await inboxPage(db, agent, { ...given, after })
  const next_cursor =
    next === undefined ? null : sealCursor(listOf(given), [next.as_of, Number(next.acked), next.message_id])
  return { messages, count: messages.length, has_more: next !== undefined, next_cursor }
}

function placeIn([as_of, acked, message_id]: readonly unknown[]): InboxPlace {
  if (typeof as_of !== 'string' || parseTime(as_of) !== as_of || !Number.isSafeInteger(message_id))
    throw foreignCursor()
  return { as_of, acked: acked === 1, message_id: message_id as number }
}

/**
 * Marks what an answer holds as read, with the audit row of the call.
 * @returns the answer; of unread messages alone, only those that no other call has marked meanwhile
 */
export async function markAnswerRead(
  database: Unscoped,
  agent: Agent,
  answer: InboxAnswer,
  { unread_only }: Pick<InboxArguments, 'unread_only'>,
  { audit }: Receipt
): Promise<InboxAnswer> {
  const unread = answer.messages.filter(({ read }) => !read).map(({ id }) => id)
  if (unread.length === 0) return answer
  const marked = await transact(inWorkspace(database, agent.workspace), async tx => {
    const ids = await setReadThese(tx, agent, unread)
    if (ids.length > 0) await writeAuditRow(tx, { ...audit, metadata: { ...audit.metadata, messages: ids.length } })
    return new Set(ids)
  })
  if (!unread_only) return answer
  const messages = answer.messages.filter(({ id }) => marked.has(id))
  return { ...answer, messages, count: messages.length }
}
