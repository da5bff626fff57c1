import { sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'
import { plannedEachTime } from '../postgres/statements.js'
import type { SearchFilter } from './filter.js'
import type { Query } from './query.js'
import { newestOf } from './recent.js'
import { type Found, scoredMax } from './scored.js'
import { type Candidate, firstOf, inAll, isExact, READ_MAX, roughly, TEXT_MAX, wholeText } from './texts.js'

/** Messages that are looked through: about 5 µs each. */
const LOOKED_THROUGH = 5000

/**
 * The newest messages that hold all words anywhere, as "table" holds `bl`. For words that are not looked up in the
 * vocabulary (`isSpeltOut`): the index has those only as words of their own.
 */
export async function lookThrough(
  db: Db,
  viewer: Agent,
  query: Query,
  filter: SearchFilter,
  limit: number
): Promise<Found> {
  const metadata = filter.search_metadata ? sql`case when m.metadata = '{}' then '' else m.metadata::text end` : sql`''`
  const rough = roughly(query.words.map(({ text }) => text).join(''))
  const lowered = sql`${rough(sql`m.sender`)} || E'\\n' || ${rough(sql`m.content`)} || E'\\n' || ${rough(metadata)}`
  const { rows } = await plannedEachTime(
    db,
    sql<Candidate>`
    select m.*, left(w.text, ${TEXT_MAX}) as text, ${inAll(query, sql`w.text`)} as in_all, ${isExact(query, sql`w.text`)} as exact,
           word_similarity(${query.phrase}, left(w.text, ${TEXT_MAX})) as phrase_similarity
    from (
      select m.* from ${firstOf(sql`${newestOf(db, viewer, filter).limit(LOOKED_THROUGH)}`, sql`m.id desc`)} m, lateral (select ${lowered} as text offset 0) l
      where ${sql.join(
        query.words.map(({ text }) => sql`strpos(l.text, ${text}) > 0`),
        sql` and `
      )} limit ${scoredMax(limit)}) m,
      lateral (select ${wholeText(filter.search_metadata)} as text offset 0) w`
  )
  if (rows.length >= limit) return { candidates: rows, cut: false }
  const newest = newestOf(db, viewer, filter).clearSelect()
  const {
    rows: [all]
  } = await plannedEachTime(
    db,
    sql<{ beyond: boolean }>`
    select exists (select from (${newest.select('m.id').offset(LOOKED_THROUGH).limit(1)}) m)
      or (select sum(octet_length(m.content)) from (${newest.select('m.content').limit(LOOKED_THROUGH)}) m) >= ${READ_MAX} as beyond`
  )
  return { candidates: rows, cut: all?.beyond === true }
}
