import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { addressesOf } from '../../kernel/addresses.js'
import { messageColumns, messageOf, type MessageRow, type StoredMessage } from '../../messages/store/messages.js'
import type { Db } from '../../postgres/schema.js'
import { readableMessage } from '../../visibility/visibility.js'

/** A message as its addressee sees it in its inbox. */
export type InboxMessage = MessageRow & { read: boolean; acked: boolean }

/** Where the next page begins. */
export interface InboxPlace {
  /** What was acknowledged by then stands behind all other messages, in every page of a list. */
  as_of: string
  acked: boolean
  /** Only messages before this one. */
  message_id: number
}

export interface InboxRequest {
  unread_only: boolean
  unacked_only: boolean
  session_id?: string
  limit: number
  after?: InboxPlace
}

export interface InboxPage {
  messages: InboxMessage[]
  next: InboxPlace | undefined
}

type Row = StoredMessage & { now: string; is_read: boolean; is_acked: boolean; id: number | null }

/**
 * What is addressed to the viewer or mentions it, by others, in all sessions that it may read: what it has not
 * acknowledged first, newest first.
 */
export async function inboxPage(db: Db, viewer: Agent, request: InboxRequest): Promise<InboxPage> {
  const { limit, unacked_only, after } = request
  const found = new Map<number, { message: InboxMessage; acked: boolean }>()
  let as_of = after?.as_of
  for (const acked of unacked_only ? [false] : [false, true]) {
    if (after?.acked === true && !acked) continue
    const before = after?.acked === acked ? after.message_id : undefined
    const rows = await section(db, viewer, request, { acked, before, as_of, most: limit + 1 - found.size })
    as_of ??= rows[0]?.now
    for (const { now: _, is_read, is_acked, ...stored } of rows) {
      if (stored.id === null || found.has(stored.id)) continue
      found.set(stored.id, { message: { ...messageOf(stored), read: is_read, acked: is_acked }, acked })
    }
    if (found.size > limit) break
  }
  const kept = [...found.values()].slice(0, limit)
  const last = kept.at(-1)
  return {
    messages: kept.map(({ message }) => message),
    next:
      found.size > limit && last !== undefined
        ? { as_of: as_of as string, acked: last.acked, message_id: last.message.id }
        : undefined
  }
}

interface Section {
  /** Whether the messages that were acknowledged by `as_of`, or all others. */
  acked: boolean
  before: number | undefined
  as_of: string | undefined
  most: number
}

async function section(db: Db, viewer: Agent, request: InboxRequest, { acked, before, as_of, most }: Section) {
  const { workspace, agent_id } = viewer
  const conditions: Array<RawBuilder<boolean>> = [
    as_of === undefined
      ? sql<boolean>`(r.acked_at is ${acked ? sql`not null` : sql`null`})`
      : sql<boolean>`(coalesce(r.acked_at <= ${as_of}::timestamptz, false) = ${acked})`
  ]
  if (request.unacked_only) conditions.push(sql<boolean>`r.acked_at is null`)
  if (request.unread_only) conditions.push(sql<boolean>`r.read_at is null`)
  if (request.session_id !== undefined) conditions.push(sql<boolean>`e.session_id = ${request.session_id}`)
  if (before !== undefined) conditions.push(sql<boolean>`e.message_id < ${before}`)
  const message = readableMessage(db, viewer, sql`e.message_id`).select(messageColumns)
  // One index scan for each name, which ends when there are enough.
  const named = addressesOf(viewer).map(
    name => sql`(
      select m.*, r.read_at is not null as is_read, r.acked_at is not null as is_acked
      from inbox e
      -- "|| ''": looked up by message. Without statistics the planner would read all of the agent's for each.
      left join receipts r on r.workspace = e.workspace and r.message_id = e.message_id
        and r.agent_id || '' = ${agent_id}
      cross join lateral (${message}) m
      where e.workspace = ${workspace} and e.name = ${name} and ${sql.join(conditions, sql` and `)}
        and m.sender <> ${agent_id}
        and exists (select from sessions s where s.workspace = e.workspace and s.id = e.session_id)
      order by e.message_id desc limit ${most})`
  )
  const { rows } = await sql<Row>`
    select now.now, found.* from (select clock_timestamp()::timestamptz(3) as now) now
    left join (
      select distinct on (either.id) either.* from (${sql.join(named, sql` union all `)}) either
      order by either.id desc limit ${most}) found on true
    order by found.id desc`.execute(db)
  return rows
}
