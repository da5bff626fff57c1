import { type Selectable, sql } from 'kysely'
import { type Agent } from '../core/agent.js'
import { AppError } from '../core/errors.js'
import type { AuditRow } from '../core/store.js'
import type { Db, Schema, Visibility } from './schema.js'
import { need, sessionClosed } from './sessions.js'
import { readableMessages } from './visibility.js'

/** A message as clients see it: its row, without what is the database's own. */
export type MessageRow = Omit<Selectable<Schema['messages']>, 'workspace' | 'xact'>

export const messageColumns = ['m.id', 'm.session_id', 'm.seq', 'm.sender', 'm.sender_type', 'm.content', 'm.visibility', 'm.metadata', 'm.parent_message_id', 'm.timestamp'] as const

export interface Draft {
  content: string
  visibility: Visibility
  metadata: Record<string, unknown>
  parent_message_id?: number
}

export interface Written { id: number, seq: number, timestamp: string }

function messageNotFound (argument: string): AppError {
  return new AppError('MESSAGE_NOT_FOUND', 'There is no message with that id in reach.', { context: { argument } })
}

/**
 * Appends messages to a session, in the order given, all or none: checks, seq, rows and their audit in one statement, so
 * that alone on the pool it commits by itself. seq is given under the session row's lock, which makes it gap-free and equal
 * to the order in which changes become visible.
 * @throws AppError SESSION_NOT_FOUND, SESSION_CLOSED, or MESSAGE_NOT_FOUND for a parent the sender cannot see
 */
export async function append (db: Db, sender: Agent, session_id: string, drafts: Draft[], audit: AuditRow): Promise<Written[]> {
  const parents = [...new Set(drafts.flatMap(draft => draft.parent_message_id ?? []))]
  const readableParents = readableMessages(db, sender)
    .where('m.session_id', '=', session_id).where('m.id', '=', sql<number>`any(${parents}::bigint[])`)
    .select(({ fn }) => fn.countAll<number>().as('n'))
  const published = drafts.filter(draft => draft.visibility === 'public').length
  const { rows } = await sql<Written>`
    with session as (
      update sessions set last_seq = last_seq + ${drafts.length}, public_count = public_count + ${published}, last_message_at = clock_timestamp()
      where workspace = ${sender.workspace} and id = ${session_id} and is_active
        and ${parents.length === 0 ? sql`true` : sql`${parents.length} = (${readableParents})`}
      returning last_seq - ${drafts.length} as head
    ), written as (
      insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id)
      select ${sender.workspace}, ${session_id}, session.head + draft.n, ${sender.agent_id}, ${sender.agent_type},
             draft.content, draft.visibility, draft.metadata::jsonb, draft.parent_message_id
      from session, unnest(
        ${drafts.map(draft => draft.content)}::text[],
        ${drafts.map(draft => draft.visibility)}::text[],
        ${drafts.map(draft => JSON.stringify(draft.metadata))}::text[],
        ${drafts.map(draft => draft.parent_message_id ?? null)}::bigint[]
      ) with ordinality as draft (content, visibility, metadata, parent_message_id, n)
      order by draft.n
      returning id, seq, timestamp
    ), to_index as (
      insert into search_pending (workspace, session_id, message_id) select ${sender.workspace}, ${session_id}, id from written
    ), audited as (
      insert into audit_log (workspace, event_type, agent_id, session_id, action, resource, result, request_id, metadata)
      select ${audit.workspace}, ${audit.event_type}, ${audit.agent_id}, ${session_id}, ${audit.action},
             'message:' || written.id, ${audit.result}, ${audit.request_id}, ${JSON.stringify(audit.metadata)}::jsonb
      from written
    )
    select id, seq, timestamp from written order by seq`.execute(db)
  if (rows.length === 0) throw await whyNotWritten(db, sender, session_id)
  return rows
}

async function whyNotWritten (db: Db, sender: Agent, session_id: string): Promise<AppError> {
  const session = await need(db, sender, session_id)
  return session.is_active ? messageNotFound('parent_message_id') : sessionClosed()
}

/** @throws AppError MESSAGE_NOT_FOUND, also where it exists but is not the viewer's to see */
export async function needMessage (db: Db, viewer: Agent, id: number, argument = 'message_id'): Promise<MessageRow> {
  const message = await readableMessages(db, viewer).where('m.id', '=', id).select(messageColumns).executeTakeFirst()
  if (message === undefined) throw messageNotFound(argument)
  return message
}

/**
 * Gives a message another visibility, as the next change of its session. The caller holds the session's row lock, under
 * which every change of visibility happens, so `message` is what it is now.
 */
export async function changeVisibility (tx: Db, agent: Agent, message: MessageRow, visibility: Visibility): Promise<MessageRow> {
  const published = Number(visibility === 'public') - Number(message.visibility === 'public')
  await sql`
    with session as (
      update sessions set last_seq = last_seq + 1, public_count = public_count + ${published}
      where workspace = ${agent.workspace} and id = ${message.session_id}
      returning last_seq
    ), change as (
      insert into session_changes (workspace, session_id, seq, kind, message_id, from_visibility, to_visibility, changed_by)
      select ${agent.workspace}, ${message.session_id}, last_seq, 'visibility_changed', ${message.id}, ${message.visibility}, ${visibility}, ${agent.agent_id}
      from session
    ), indexed as (
      update message_terms set visibility = ${visibility} where workspace = ${agent.workspace} and message_id = ${message.id}
    )
    update messages set visibility = ${visibility} where workspace = ${agent.workspace} and id = ${message.id}`.execute(tx)
  return { ...message, visibility }
}

/** By sender, newest first. */
export async function bySender (db: Db, viewer: Agent, session_id: string, sender: string, limit: number): Promise<MessageRow[]> {
  return readableMessages(db, viewer).where('m.session_id', '=', session_id).where('m.sender', '=', sender)
    .select(messageColumns).orderBy('m.seq', 'desc').limit(limit).execute()
}

/** Written from `start` to `end`, both included, oldest first. */
export async function byTime (db: Db, viewer: Agent, session_id: string, start: string, end: string, limit: number): Promise<MessageRow[]> {
  return readableMessages(db, viewer).where('m.session_id', '=', session_id)
    .where('m.timestamp', '>=', start).where('m.timestamp', '<=', end)
    .select(messageColumns).orderBy('m.timestamp').orderBy('m.seq').limit(limit).execute()
}
