import type { Static, TObject } from '@sinclair/typebox'
import { type Selectable, sql } from 'kysely'
import { type Agent, isAdmin } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import type { Visibility } from '../../kernel/visibilities.js'
import type { Db, Schema } from '../../postgres/schema.js'
import { lockSession } from '../../sessions/store/sessions.js'
import { readableMessages } from '../../visibility/visibility.js'
import type { reachedFields } from '../reached-fields.js'

/** A message's row, without what is the database's own. */
export type StoredMessage = Omit<Selectable<Schema['messages']>, 'workspace' | 'xact'>

/** A message as clients see it. What most messages do not have is not there at all. */
export type MessageRow = Omit<StoredMessage, 'addressees' | 'payload'> & { to?: string[]; payload?: unknown }

export function messageOf({ addressees, payload, ...message }: StoredMessage): MessageRow {
  return {
    ...message,
    ...(addressees.length > 0 && { to: addressees }),
    ...(payload !== null && { payload })
  }
}

export const messageColumns = [
  'm.id',
  'm.session_id',
  'm.seq',
  'm.sender',
  'm.sender_type',
  'm.content',
  'm.visibility',
  'm.metadata',
  'm.parent_message_id',
  'm.timestamp',
  'm.addressees',
  'm.payload'
] as const

const NAMES = messageColumns.map(column => column.slice('m.'.length) as keyof StoredMessage)

/** The message in a row that holds more than its columns. */
export function messageIn(row: StoredMessage): MessageRow {
  const message: Record<string, unknown> = Object.fromEntries(NAMES.map(name => [name, row[name]]))
  return messageOf(message as StoredMessage)
}

export interface Draft {
  content: string
  visibility: Visibility
  metadata: Record<string, unknown>
  parent_message_id?: number
  /** Agent_ids, and agent_types behind `type:`. */
  addressees?: string[]
  payload?: unknown
  /** In whose inboxes it is: its addressees, and the agents it mentions. */
  names?: string[]
}

/** What the answer to a writer says of whom its messages reach. */
export type Reached = Omit<Static<TObject<typeof reachedFields>>, 'warnings'>
/** One of those a message is addressed to, as its sender may know it. */
export type Addressed = NonNullable<Reached['addressed']>[number]

export interface Written {
  id: number
  seq: number
  timestamp: string
  /** On the first of a call: what the answer says of whom its messages reach. */
  reached?: Reached | null
  /** In whose inboxes it is; absent for a repeat. */
  names?: string[] | null
}

export function messageNotFound(argument: string): AppError {
  return new AppError('MESSAGE_NOT_FOUND', 'There is no message with that id in reach.', { context: { argument } })
}

/** @throws AppError MESSAGE_NOT_FOUND, also where it exists but is not the viewer's to see */
export async function readMessageOrThrow(db: Db, viewer: Agent, id: number): Promise<MessageRow> {
  const message = await readableMessages(db, viewer)
    .where('m.id', '=', id)
    // The messages of a deleted session are there until they are swept.
    .where(sql<boolean>`exists (select from sessions s where s.workspace = m.workspace and s.id = m.session_id)`)
    .select(messageColumns)
    .executeTakeFirst()
  if (message === undefined) throw messageNotFound('message_id')
  return messageOf(message)
}

/**
 * Locks the session of a message that the agent may change, until the transaction ends.
 * @returns the message as it is under the lock
 * @throws AppError MESSAGE_NOT_FOUND; PERMISSION_DENIED unless the agent is its sender or an admin
 */
export async function lockOwnMessage(tx: Db, agent: Agent, id: number): Promise<MessageRow> {
  const { sender, session_id } = await readMessageOrThrow(tx, agent, id)
  if (sender !== agent.agent_id && !isAdmin(agent)) {
    throw new AppError('PERMISSION_DENIED', 'Only the sender of a message, or an admin, may change or delete it.', {
      context: { required_permission: 'admin', current_permissions: agent.permissions },
      suggestions: ['Ask the sender of the message to do it']
    })
  }
  await lockSession(tx, agent, session_id)
  return readMessageOrThrow(tx, agent, id)
}

/**
 * Gives a message another visibility, as the next change of its session. The caller holds the session's row lock, under
 * which every change of visibility happens, so `message` is what it is now.
 * @returns the names of the inboxes that it is in: of its addressees, and of those whom it mentions
 */
export async function changeVisibility(
  tx: Db,
  agent: Agent,
  message: MessageRow,
  visibility: Visibility
): Promise<string[]> {
  const published = Number(visibility === 'public') - Number(message.visibility === 'public')
  // Before the index's row: the indexer, too, takes the list first. A row that is being indexed at this moment is
  // waited for.
  await sql`
    insert into search_pending as pending (workspace, session_id, message_id)
    select ${agent.workspace}, ${message.session_id}, ${message.id}
    where not exists (select from message_terms where workspace = ${agent.workspace} and message_id = ${message.id})
    on conflict (workspace, session_id, message_id) do update set message_id = pending.message_id`.execute(tx)
  const { rows } = await sql<{ name: string }>`
    with session as (
      update sessions set last_seq = last_seq + 1, public_count = public_count + ${published}
      where workspace = ${agent.workspace} and id = ${message.session_id}
      returning last_seq
    ), change as (
      insert into session_changes (workspace, session_id, seq, kind, message_id, from_visibility, to_visibility,
        changed_by)
      select ${agent.workspace}, ${message.session_id}, last_seq, 'visibility_changed', ${message.id},
        ${message.visibility}, ${visibility}, ${agent.agent_id}
      from session
    ), entries as (
      update inbox set direct = ${visibility === 'direct'} where workspace = ${agent.workspace}
        and message_id = ${message.id} returning name
    ), indexed as (
      update message_terms set visibility = ${visibility} where workspace = ${agent.workspace}
        and message_id = ${message.id}
    ), changed as (
      update messages set visibility = ${visibility} where workspace = ${agent.workspace} and id = ${message.id}
    )
    select name from entries`.execute(tx)
  return rows.map(({ name }) => name)
}

/** By sender, newest first: at most `limit + 1`, where the extra one shows that there are more. */
export async function bySender(
  db: Db,
  viewer: Agent,
  session_id: string,
  { sender, before_seq, limit }: { sender: string; before_seq?: number; limit: number }
): Promise<MessageRow[]> {
  const found = readableMessages(db, viewer).where('m.session_id', '=', session_id).where('m.sender', '=', sender)
  const rows = await (before_seq === undefined ? found : found.where('m.seq', '<', before_seq))
    .select(messageColumns)
    .orderBy('m.seq', 'desc')
    .limit(limit + 1)
    .execute()
  return rows.map(messageOf)
}

/**
 * Written from `start` to `end`, both included, oldest first: at most `limit + 1`, where the extra one shows that there
 * are more.
 */
export async function byTime(
  db: Db,
  viewer: Agent,
  session_id: string,
  {
    start,
    end,
    after,
    limit
  }: { start: string; end: string; after?: { timestamp: string; seq: number }; limit: number }
): Promise<MessageRow[]> {
  const found = readableMessages(db, viewer)
    .where('m.session_id', '=', session_id)
    .where('m.timestamp', '>=', after?.timestamp ?? start)
    .where('m.timestamp', '<=', end)
  const rows = await (
    after === undefined
      ? found
      : found.where(sql<boolean>`(m.timestamp, m.seq) > (${after.timestamp}::timestamptz, ${after.seq}::bigint)`)
  )
    .select(messageColumns)
    .orderBy('m.timestamp')
    .orderBy('m.seq')
    .limit(limit + 1)
    .execute()
  return rows.map(messageOf)
}
