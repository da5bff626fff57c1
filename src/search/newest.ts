import { sql } from 'kysely'
import { messageColumns } from '../messages/store/messages.js'
import { lettersOf } from '../postgres/letters.js'
import { withinASecond } from '../postgres/statements.js'
import { searched } from './filter.js'
import type { Unit } from './query.js'
import type { Search } from './reach.js'
import { isAscii } from './terms.js'
import { firstOf, folding, type Found, lookedThrough, READ_MAX, similarity } from './texts.js'

/**
 * Messages that are looked through for words that the index does not have: function words, and letters inside a word,
 * as "table" holds `bl`. Each takes about 5 µs.
 */
const LOOKED_THROUGH = 5000
const SENTENCE_LOOKED_THROUGH = 1000
const SCORED_MORE = 10

/** The newest messages that hold words anywhere: all of them or, for a sentence, most. */
export async function newest(search: Search, units: readonly Unit[]): Promise<Found> {
  const { db, viewer, filter, query, limit } = search
  const letters = lettersOf(query)
  const most = query.is_sentence ? SENTENCE_LOOKED_THROUGH : LOOKED_THROUGH
  const ordered = searched(db, viewer, filter).orderBy(filter.session_id === undefined ? 'm.id' : 'm.seq', 'desc')
  const text = lookedThrough(folding(letters, isAscii(query.phrase)), filter.search_metadata)
  const held = sql.join(
    units.map(({ text: word }) => sql`(strpos(l.text, ${word}) > 0)::int`),
    sql` + `
  )
  const wanted = limit + SCORED_MORE
  // What holds a single word needs no order but its own: reading ends when there are enough.
  const enough = units.length === 1 ? sql`limit ${wanted}` : sql``
  const { rows } = await withinASecond(
    db,
    sql<Found['candidates'][0] & { beyond: boolean }>`
    with read as materialized (select m.*, ${held} as held, strpos(l.text, ${query.phrase}) > 0 as whole
      from ${firstOf(sql`${ordered.select(messageColumns).limit(most)}`, sql`m.id desc`)} m,
        lateral (select ${text} as text offset 0) l
      where ${held} >= ${query.is_sentence ? 1 : units.length} ${enough})
    select m.*, ${similarity(letters)} as similarity, 1::real as length, 0::real as beside,
      (select count(*) > ${most} or sum(bytes) > ${READ_MAX} from (${ordered
        .select(sql<number>`octet_length(m.content)`.as('bytes'))
        .limit(most + 1)}) last) as beyond
    from (select * from read order by whole desc, held desc, id desc limit ${wanted}) m`
  )
  return { candidates: rows.map(({ beyond: _, ...candidate }) => candidate), cut: rows[0]?.beyond ?? true }
}
