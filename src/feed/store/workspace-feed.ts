import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { lastOf, upTo } from './cursor-snapshots.js'
import { changesPerViewer, type Item } from './changes-per-viewer.js'
import { type Change, changesForMany } from './feed.js'
import { messageColumns, messageOf, type StoredMessage } from '../../messages/store/messages.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { messagesForMany, seenBy, type ViewerColumns, viewerColumns, viewerRows } from '../../visibility/visibility.js'

/*
 * The feed of all sessions of a workspace: what a later snapshot shows of each session and an earlier one does not.
 * Numbers are given and committed under the session's row lock. So a snapshot that shows a number of a session shows
 * all numbers before it, and two snapshots differ by one range of numbers in each session.
 */

/** Most rows that one statement reads to find the sessions that have grown. */
const ROWS = 10_000

/** A session's numbers from `first` to `last`. */
export interface Grown {
  session_id: string
  first: number
  last: number
}

/**
 * Which sessions the snapshot `until` (absent: now) shows more of than `since`, in the order of their ids.
 * @returns `until` if it was given, else the snapshot of now, cut off as `snapshotNow` is
 */
export async function grown(
  db: Db,
  workspace: string,
  since: string,
  until?: string
): Promise<{ until: string; sessions: Grown[] }> {
  const sessions = new Map<string, Grown>()
  let from = since.slice(0, since.indexOf(':'))
  let limit = ROWS
  let newest = lastOf(since)
  let now: string | undefined
  for (;;) {
    const [page] = (await readGrown(db, { workspace, since, until: until ?? now ?? null, from, limit })) as [GrownPage]
    now = page.until
    if (page.newest !== null && BigInt(page.newest) > newest) newest = BigInt(page.newest)
    for (const [session_id, first, last] of page.sessions ?? []) {
      const known = sessions.get(session_id)
      sessions.set(session_id, {
        session_id,
        first: Math.min(first, known?.first ?? first),
        last: Math.max(last, known?.last ?? last)
      })
    }
    if (page.next === null) break
    // The rows of one transaction have no order here: where it wrote more than a page, which no tool does, the page
    // grows.
    if (page.next === from) limit *= 2
    from = page.next
  }
  // A server that was set back, or a standby that lacked something, has not come to `since`. Readers go on from now.
  const end = until ?? upTo(now, newest < lastOf(now) ? newest : lastOf(now))
  return { until: end, sessions: [...sessions.values()].sort((a, b) => (a.session_id < b.session_id ? -1 : 1)) }
}

interface GrownPage {
  until: string
  /** The newest transaction that the page shows something of. */
  newest: string | null
  next: string | null
  sessions: Array<[session_id: string, first: number, last: number]> | null
}

interface GrownAfter {
  workspace: string
  since: string
  /** Null: the snapshot of now. */
  until: string | null
  /** A transaction: what older ones wrote is not looked at. */
  from: string
  limit: number
}

const readGrown = defineStatement<GrownAfter, GrownPage>(
  'messages.grown',
  (db, { workspace, since, until, from, limit }) => {
    // xact > '0' is the indexes' own condition. A transaction yet to come wrote what was restored from another server.
    const within = (xact: RawBuilder<unknown>) =>
      sql<boolean>`${xact} > '0' and ${xact} >= ${from}::xid8 and ${xact} < (select pg_snapshot_xmax(until) from at)`
    const messages = messagesForMany(db, workspace)
      .where(within(sql`m.xact`))
      .select(['m.session_id', 'm.seq', 'm.xact'])
      .orderBy('m.xact')
      .limit(limit)
    const changes = db
      .selectFrom('session_changes as c')
      .where('c.workspace', '=', workspace)
      .where(within(sql`c.xact`))
      .select(['c.session_id', 'c.seq', 'c.xact'])
      .orderBy('c.xact')
      .limit(limit)
    return sql<GrownPage>`
    with at as materialized (select coalesce(${until}::pg_snapshot, pg_current_snapshot()) as until),
    written as materialized (
      select 1 as kind, * from (${messages}) m union all select 2, * from (${changes}) c
    ),
    session as (
      select session_id, min(seq) as first, max(seq) as last, max(xact) as newest from written, at
      where not pg_visible_in_snapshot(xact, ${since}::pg_snapshot) and pg_visible_in_snapshot(xact, at.until)
      group by session_id
    )
    select (select until::text from at) as until,
           (select min(last)::text from (select max(xact) as last from written
             group by kind having count(*) = ${limit}) full_pages) as next,
           (select max(newest)::text from session) as newest,
           (select json_agg(json_build_array(session_id, first, last)) from session) as sessions`
  },
  'once'
)

/** A session's numbers after `after`, up to `until`. */
export interface SeqRange {
  session_id: string
  after: number
  until: number
}

/** A range and what each viewer may see of it, as in Page, of paged-feed.ts. */
export interface ReadSeqRange {
  range: SeqRange
  changesOf: (viewer: number) => readonly Change[]
}

type Row = StoredMessage & { n: number; changed: boolean; deleted: number | null; seen_by: number[] | null }

interface AskedRanges extends ViewerColumns {
  workspace: string
  session_ids: string[]
  afters: number[]
  untils: number[]
}

const readRanges = defineStatement<AskedRanges, Row>(
  'messages.ranges',
  (db, { workspace, session_ids, afters, untils, agent_ids, agent_types, admins }) => {
    const added = messagesForMany(db, workspace)
      .where('m.session_id', '=', sql<string>`asked.session_id`)
      .where('m.seq', '>', sql<number>`asked.after`)
      .where('m.seq', '<=', sql<number>`asked.until`)
      .where(sql<boolean>`not asked.changed`)
      .select([...messageColumns, seenBy('viewer', 'm').as('seen_by')])
      // Without it PostgreSQL reads all messages of the workspace, where one session has most of them.
      .offset(0)
    const changes = sql`from session_changes c
      where c.workspace = ${workspace} and c.session_id = given.session_id and c.seq > given.after`
    // Content that is for none of the viewers is not fetched.
    const shown = sql`m.seen_by is null or cardinality(m.seen_by) > 0`
    return sql<Row>`
    with viewer as materialized (select * from ${viewerRows({ agent_ids, agent_types, admins })}),
    asked as materialized (
      select given.*, exists (select ${changes}) as changed,
             (select c.seq ${changes} and c.seq <= given.until and c.kind = 'session_deleted') as deleted
      from unnest(${session_ids}::text[], ${afters}::bigint[], ${untils}::bigint[]) with ordinality
        as given (session_id, after, until, n)
    )
    select asked.n, asked.changed, asked.deleted, m.id, m.session_id, m.seq, m.sender, m.sender_type, m.visibility,
           m.parent_message_id, m.timestamp, m.addressees, m.seen_by, case when ${shown} then m.content end as content,
           case when ${shown} then m.metadata end as metadata, case when ${shown} then m.payload end as payload
    from asked left join lateral (${added}) m on true
    order by asked.n, m.seq`
  },
  'once'
)

/**
 * Reads ranges for many viewers of one workspace, with the rights they have now. One statement reads all ranges to
 * which messages were only added, which is nearly all. For the others, `changesForMany` has the rules.
 */
export async function readSeqRanges(
  db: Db,
  viewers: readonly Agent[],
  ranges: readonly SeqRange[]
): Promise<ReadSeqRange[]> {
  const { workspace } = viewers[0] as Agent
  const rows = await readRanges(db, {
    workspace,
    session_ids: ranges.map(({ session_id }) => session_id),
    afters: ranges.map(({ after }) => after),
    untils: ranges.map(({ until }) => until),
    ...viewerColumns(viewers)
  })

  const found = ranges.map(range => ({
    range,
    changed: false,
    deleted: null as number | null,
    items: [] as Array<Item<Change>>
  }))
  for (const { n, changed, deleted, seen_by, ...message } of rows) {
    const read = found[n - 1]
    if (read === undefined) continue
    Object.assign(read, { changed, deleted })
    if (message.id !== null && (seen_by === null || seen_by.length > 0))
      read.items.push({ seen_by, change: { seq: message.seq, type: 'message_added', message: messageOf(message) } })
  }
  const result: ReadSeqRange[] = []
  for (const { range, changed, deleted, items } of found) {
    const { session_id, after, until } = range
    const page = changed ? await changesForMany(db, viewers, session_id, after, until) : undefined
    // Of a deleted session there is nothing else to read.
    if (deleted !== null) items.push({ seen_by: null, change: { seq: deleted, type: 'session_deleted' } })
    result.push({ range, changesOf: page?.changesOf ?? changesPerViewer(viewers, session_id, items) })
  }
  return result
}
