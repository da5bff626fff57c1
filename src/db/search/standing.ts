import { sql } from 'kysely'
import type { Agent } from '../../core/agent.js'
import type { Db } from '../schema.js'
import { PLANNED_EACH_TIME } from '../statement-name.js'
import { indexedConditions, ofSession, sample, type SearchFilter } from './filter.js'
import type { Word } from './query.js'
import { hasOne, inParts } from './tiers.js'
import type { Spellings } from './vocabulary.js'

/**
 * Which words of the query stand in some message that the viewer may see and the filter lets through, as typed or as part of a
 * longer word. One round trip. (`count(*) > 0` rather than exists: for one row PostgreSQL would walk along the session, hoping to
 * meet it soon.)
 */
export async function standing (db: Db, viewer: Agent, words: readonly Word[], spellings: Map<string, Spellings>, filter: SearchFilter): Promise<Set<string>> {
  const conditions = indexedConditions(viewer, filter)
  const { rows } = await sql<{ n: number }>`${PLANNED_EACH_TIME}
    with sample as materialized (select t.terms from (${sample(viewer, filter)}) t where ${conditions})
    ${sql.join(words.map((word, n) => {
      const spelt = spellings.get(word.text)
      const terms = [...spelt?.starts ?? [], ...spelt?.inside ?? []]
      return sql`
        select ${n}::int as n where exists (select from sample t where ${hasOne(terms)})
          or (select count(*) from unnest(${inParts(terms)}::text[]) part, lateral (
            select from message_terms t where ${ofSession(filter)} t.terms && part::int4[] and ${conditions} offset 0) t) > 0`
    }), sql` union all `)}`.execute(db)
  return new Set(rows.map(({ n }) => (words[n] as Word).text))
}
