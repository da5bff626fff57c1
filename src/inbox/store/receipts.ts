import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { addressesOf } from '../../kernel/addresses.js'
import { throttledWriter, type ThrottledWriter } from '../../postgres/throttled-writer.js'
import type { Db } from '../../postgres/schema.js'
import { readableMessages } from '../../visibility/visibility.js'
import type { Receipt } from '../inbox-shapes.js'

/** What became of messages with those they are for. */

interface Delivery {
  workspace: string
  message_id: number
  agent_id: string
  /** By performance.now(). */
  at: number
}

/** Notes deliveries, and writes them once a second in one statement. A replica that is killed loses its last ones. */
export function trackDeliveries(db: Db): ThrottledWriter<Delivery> {
  return throttledWriter<Delivery>(async noted => {
    const now = performance.now()
    const rows = noted.map(({ at, ...delivery }) => ({ ...delivery, age: (now - at) / 1000 }))
    // What was deleted meanwhile gets no receipt.
    await sql`
      insert into receipts (workspace, message_id, agent_id, delivered_at)
      select workspace, message_id, agent_id, clock_timestamp() - make_interval(secs => age)
      from json_to_recordset(${JSON.stringify(rows)})
        as noted (workspace text, message_id bigint, agent_id text, age float8)
      where exists (select from inbox e where e.workspace = noted.workspace and e.message_id = noted.message_id)
      order by workspace, message_id, agent_id
      on conflict (workspace, message_id, agent_id) do update
        set delivered_at = excluded.delivered_at, updated_at = clock_timestamp()
        where receipts.delivered_at is null`.execute(db)
  })
}

export function deliveryKey({ workspace, message_id, agent_id }: Omit<Delivery, 'at'>): string {
  return `${workspace}\n${String(message_id).padStart(16, '0')}\n${agent_id}`
}

/** The messages in the agent's inbox, as rows (message_id), that it may see. */
function inInbox(db: Db, agent: Agent, condition: RawBuilder<boolean>): RawBuilder<{ message_id: number }> {
  const message = readableMessages(db, agent)
    .where('m.id', '=', sql<number>`e.message_id`)
    .where('m.sender', '<>', agent.agent_id)
    .select('m.id')
  return sql<{ message_id: number }>`
    select distinct e.message_id from inbox e
    where e.workspace = ${agent.workspace} and e.name = any(${addressesOf(agent)}::text[]) and ${condition}
      and exists (${message})
      and exists (select from sessions s where s.workspace = e.workspace and s.id = e.session_id)`
}

/** Notes that an agent has read what is in its inbox and meets a condition on `e`. @returns what it had not read */
async function setRead(db: Db, agent: Agent, condition: RawBuilder<boolean>): Promise<number[]> {
  const { rows } = await sql<{ message_id: number }>`
    insert into receipts (workspace, message_id, agent_id, read_at)
    select ${agent.workspace}, mine.message_id, ${agent.agent_id}, clock_timestamp()
    from (${inInbox(db, agent, condition)}) mine order by mine.message_id
    on conflict (workspace, message_id, agent_id) do update
      set read_at = excluded.read_at, updated_at = clock_timestamp() where receipts.read_at is null
    returning message_id`.execute(db)
  return rows.map(({ message_id }) => message_id)
}

/** @returns those that were unread until now: of two calls at once, one gets each message */
export async function setReadThese(db: Db, agent: Agent, message_ids: readonly number[]): Promise<number[]> {
  return setRead(db, agent, sql<boolean>`e.message_id = any(${message_ids}::bigint[])`)
}

/** Notes that an agent has read a session up to a seq. Call it before its cursor there is moved. */
export async function setReadUpTo(db: Db, agent: Agent, session_id: string, seq: number): Promise<void> {
  const { rows } = await sql<{ seq: number }>`
    select last_read_seq as seq from read_cursors where workspace = ${agent.workspace}
      and agent_id = ${agent.agent_id} and session_id = ${session_id}`.execute(db)
  const from = rows[0]?.seq ?? 0
  if (from >= seq) return
  await setRead(db, agent, sql<boolean>`e.session_id = ${session_id} and e.seq > ${from} and e.seq <= ${seq}`)
}

/**
 * Acknowledges messages in an agent's inbox. The first acknowledgement's time stays; a later note takes the place of
 * the first.
 * @returns the ids of those that are in its inbox
 */
export async function acknowledge(
  tx: Db,
  agent: Agent,
  message_ids: readonly number[],
  note: string | undefined
): Promise<number[]> {
  const mine = inInbox(tx, agent, sql<boolean>`e.message_id = any(${message_ids}::bigint[])`)
  const { rows } = await sql<{ message_id: number }>`
    insert into receipts (workspace, message_id, agent_id, acked_at, note)
    select ${agent.workspace}, mine.message_id, ${agent.agent_id}, clock_timestamp(), ${note ?? null}::text
    from (${mine}) mine order by mine.message_id
    on conflict (workspace, message_id, agent_id) do update set
      acked_at = coalesce(receipts.acked_at, excluded.acked_at), note = coalesce(excluded.note, receipts.note),
      updated_at = clock_timestamp()
    returning message_id`.execute(tx)
  return rows.map(({ message_id }) => message_id)
}

/** Receipts of one message, and answers of one agent to it, that are shown at most. */
const RECEIPTS_MAX = 1000
const REPLIES_MAX = 100

/**
 * Receipts of a message: of those it is addressed to by name, and of all others with whom something became of it. The
 * viewer may see the message, and of answers to it those that it may see.
 */
export async function receiptsOf(
  db: Db,
  viewer: Agent,
  { id, session_id, to = [] }: { id: number; session_id: string; to?: readonly string[] }
): Promise<Receipt[]> {
  const { workspace } = viewer
  const named = to.filter(name => !name.startsWith('type:'))
  const replies = readableMessages(db, viewer)
    .where('m.session_id', '=', session_id)
    .where('m.parent_message_id', '=', id)
    .where('m.sender', '=', sql<string>`reached.agent_id`)
    .select('m.id')
    .orderBy('m.id')
    .limit(REPLIES_MAX)
  const { rows } = await sql<Receipt>`
    with reached as materialized (
      select agent_id from unnest(${named}::text[]) named (agent_id)
      union
      select agent_id from receipts where workspace = ${workspace} and message_id = ${id}
      order by agent_id limit ${RECEIPTS_MAX})
    select reached.agent_id, r.delivered_at, r.read_at, r.acked_at, r.note, array(${replies}) as reply_ids
    from reached left join receipts r on r.workspace = ${workspace} and r.message_id = ${id}
      and r.agent_id = reached.agent_id
    order by reached.agent_id`.execute(db)
  return rows
}
