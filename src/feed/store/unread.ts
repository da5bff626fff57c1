import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { Reading } from '../../kernel/answer-shapes.js'
import { countReadable, EXACT_COUNT_MAX } from '../../visibility/message-counts.js'
import { mentioning } from '../../visibility/message-filter.js'
import type { Db } from '../../postgres/schema.js'
import { plannedOnce } from '../../postgres/statements.js'
import { othersNotPublic, readableMessages, visibleTo } from '../../visibility/visibility.js'

/** So many rows are counted; if there are as many, they are more than is counted exactly. */
const MOST = EXACT_COUNT_MAX + 1

/**
 * Up to so many changes behind, the messages themselves are gone through; beyond, an index that says whose they are.
 */
const NEAR = 1000

interface Row {
  id: string
  last_read_seq: number
  last_seq: number
  public_count: number
  /** Public messages of one's own, where that is needed. */
  own: number
  written: number
  shown: number
  shown_mentions: number
  changes: number
  mentions: number
  mentioning: number
}

/**
 * How far the viewer has read some sessions, and how much by others that it may see lies after that: written since, or
 * shown to it by a change since, as in message-pages.ts. Whoever has never marked anything has all before it. One
 * statement for all sessions, in their order. However long a session is, an index is read for what is counted, never
 * the session:
 *
 * - nothing read yet: the session knows how many public messages it has; the viewer's own are taken off, the few others
 * added;
 * - little behind: the messages after the cursor;
 * - far behind: from sender to sender, the viewer left out, since most of a session may be its own.
 */
export async function readings(db: Db, viewer: Agent, session_ids: readonly string[]): Promise<Reading[]> {
  if (session_ids.length === 0) return []
  const inSession = readableMessages(db, viewer).where('m.session_id', '=', sql<string>`s.id`)
  const byOthers = inSession.where('m.sender', '<>', viewer.agent_id)
  const after = sql<boolean>`m.seq > reader.seq`

  const own = inSession
    .where('m.sender', '=', viewer.agent_id)
    .where('m.visibility', '=', 'public')
    .select('m.seq')
    .limit(MOST)
  const notPublic = sql.join(
    othersNotPublic(viewer, sql.ref('s.id')).map(part => sql`(${byOthers.where(part).select('m.seq').limit(MOST)})`),
    sql` union all `
  )
  const near = byOthers.where(after).select('m.seq')
  const next = inSession.select('m.sender').orderBy('m.sender').limit(1)
  const ofSender = inSession.where('m.sender', '=', sql.ref<string>('senders.sender'))
  const far = sql`
    with recursive senders as (
      (select * from (${next}) first)
      union all
      select following.sender from senders,
        lateral (${next.where('m.sender', '>', sql.ref<string>('senders.sender'))}) following
    )
    select from senders,
      lateral (${ofSender.where(after).select('m.seq').limit(MOST)}) theirs
    where senders.sender <> ${viewer.agent_id} limit ${MOST}`
  // The very condition of the index messages_mentioning.
  const candidates = byOthers
    .where(after)
    .where(sql<boolean>`strpos(translate(m.content, '＠', '@'), '@') > 0`)
    .select('m.content')
    .orderBy('m.seq', 'desc')
    .limit(MOST)
  const changed = db
    .selectFrom('session_changes as c')
    .where('c.workspace', '=', viewer.workspace)
    .where('c.session_id', '=', sql<string>`s.id`)
    .where('c.seq', '>', sql<number>`reader.seq`)
    .where(sql<boolean>`reader.seq > 0`)
    .where('c.message_id', 'is not', null)
    .select(['c.message_id', 'c.from_visibility', 'c.to_visibility'])
    .orderBy('c.seq', 'desc')
    .limit(MOST)
  const shown = byOthers
    .where('m.id', '=', sql<number>`c.message_id`)
    .where(sql<boolean>`m.seq <= reader.seq`)
    .where(sql<boolean>`not ${visibleTo(viewer, 'm', 'c.from_visibility')}`)
    .where(visibleTo(viewer, 'm', 'c.to_visibility'))
    .select(['m.id', 'm.content'])

  const mentionsViewer = mentioning(viewer)

  // The limits and offsets keep the planner from joining whole tables, and from counting twice.
  const query = sql<Row>`
    select s.id, reader.seq as last_read_seq, s.last_seq, s.public_count, mine.own, written.messages as written,
           shown.messages as shown, shown.mentions as shown_mentions, shown.changes,
           mentioned.mentions, mentioned.mentioning
    from unnest(${session_ids}::text[]) as wanted (id)
    cross join lateral (
      select id, last_seq, public_count from sessions
      where workspace = ${viewer.workspace} and id = wanted.id limit 1) s
    cross join lateral (select coalesce((
        select last_read_seq from read_cursors where workspace = ${viewer.workspace} and agent_id = ${viewer.agent_id}
          and session_id = s.id
      ), 0) as seq offset 0) reader
    cross join lateral (
      select case when reader.seq = 0 then (select count(*) from (${own}) m) else 0 end as own offset 0) mine
    cross join lateral (select case
        when reader.seq >= s.last_seq then 0
        when reader.seq = 0 and mine.own < ${MOST}
          then s.public_count - mine.own + (select count(*) from (${notPublic}) m)
        when s.last_seq - reader.seq <= ${NEAR} then (select count(*) from (${near}) m)
        else (select count(*) from (${far}) m)
      end as messages offset 0) written
    cross join lateral (
      select count(distinct m.id) as messages, count(*) as changes,
        count(distinct m.id) filter (where ${mentionsViewer}) as mentions
      from (${changed}) c left join lateral (${shown}) m on true) shown
    cross join lateral (
      select count(*) as mentioning, count(*) filter (where ${mentionsViewer}) as mentions
      from (${candidates}) m where reader.seq < s.last_seq) mentioned`
  // PostgreSQL takes ten times as long to plan it as to run it.
  const { rows } = await plannedOnce(db, query)
  const found = new Map(rows.map(row => [row.id, row]))
  return Promise.all(
    session_ids.map(async id => {
      const row = found.get(id)
      return row === undefined ? { last_read_seq: 0, unread: { messages: 0, mentions: 0 } } : readingOf(db, viewer, row)
    })
  )
}

async function readingOf(db: Db, viewer: Agent, row: Row): Promise<Reading> {
  const { last_read_seq, public_count, own, written, shown } = row
  const counted = last_read_seq === 0 && own < MOST ? written - (public_count - own) : written
  const all =
    counted < MOST
      ? { count: written, is_estimate: false }
      : { count: await estimate(db, viewer, row), is_estimate: true }
  return {
    last_read_seq,
    unread: {
      messages: all.count + shown,
      ...((all.is_estimate || row.changes >= MOST) && { messages_is_estimate: true }),
      mentions: row.mentions + row.shown_mentions,
      ...((row.mentioning >= MOST || row.changes >= MOST) && { mentions_is_estimate: true })
    }
  }
}

/**
 * More than are counted exactly: as many as there would be if all that the viewer may see lay evenly between beginning
 * and head.
 */
async function estimate(
  db: Db,
  viewer: Agent,
  { id, last_read_seq, last_seq, public_count, own, written }: Row
): Promise<number> {
  const visible = (await countReadable(db, viewer, { id, last_seq, public_count }, {})).count
  return Math.max(written, Math.round(((visible - own) * (last_seq - last_read_seq)) / last_seq))
}

/** Moves an agent's read cursor in a session forward to a seq, never back. */
export async function moveReadCursor(tx: Db, agent: Agent, session_id: string, seq: number): Promise<void> {
  await tx
    .insertInto('read_cursors')
    .values({ workspace: agent.workspace, agent_id: agent.agent_id, session_id, last_read_seq: seq })
    .onConflict(conflict =>
      conflict
        .columns(['workspace', 'agent_id', 'session_id'])
        .doUpdateSet({ last_read_seq: seq, updated_at: sql<string>`clock_timestamp()` })
        .where('read_cursors.last_read_seq', '<', seq)
    )
    .execute()
}
