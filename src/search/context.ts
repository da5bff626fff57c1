import { sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import { fitting } from '../kernel/answer-size.js'
import { messageColumns, messageOf, type MessageRow, type StoredMessage } from '../messages/store/messages.js'
import type { Db } from '../postgres/schema.js'
import { readableMessages } from '../visibility/visibility.js'
import type { SearchResult } from './search.js'

/** Most messages before and after a result. */
export const CONTEXT_MAX = 5
/** About so many characters are a token of a model. */
const CHARACTERS_A_TOKEN = 4

export interface ResultInContext extends SearchResult {
  before?: MessageRow[]
  after?: MessageRow[]
}

/** Adds the messages before and after each result, oldest first, as the viewer may see them. One statement. */
export async function withContext(
  db: Db,
  viewer: Agent,
  results: SearchResult[],
  context: number
): Promise<ResultInContext[]> {
  if (context === 0 || results.length === 0) return results
  const beside = (operator: '<' | '>') =>
    readableMessages(db, viewer)
      .where('m.session_id', '=', sql<string>`hit.session_id`)
      .where('m.seq', operator, sql<number>`hit.seq`)
      .select(messageColumns)
      .orderBy('m.seq', operator === '<' ? 'desc' : 'asc')
      .limit(context)
  const { rows } = await sql<StoredMessage & { n: number; is_before: boolean }>`
    select hit.n::int, m.*, m.seq < hit.seq as is_before
    from unnest(${results.map(({ message }) => message.session_id)}::text[],
        ${results.map(({ message }) => message.seq)}::bigint[])
      with ordinality as hit (session_id, seq, n), lateral ((${beside('<')}) union all (${beside('>')})) m
    order by hit.n, m.seq`.execute(db)
  return results.map((result, i) => {
    const of = rows.filter(({ n }) => n === i + 1)
    const side = (before: boolean) =>
      of
        .filter(({ is_before }) => is_before === before)
        .map(({ n: _, is_before: __, ...message }) => messageOf(message))
    return { ...result, before: side(true), after: side(false) }
  })
}

/** The best results whose messages have so many tokens together, and for which an answer has room: whole ones. */
export function within(
  results: ResultInContext[],
  max_tokens: number | undefined
): { kept: ResultInContext[]; truncated: boolean; has_more: boolean } {
  const most = fitting(results)
  const has_more = most < results.length
  if (max_tokens === undefined) return { kept: results.slice(0, most), truncated: has_more, has_more }
  let left = max_tokens * CHARACTERS_A_TOKEN
  const kept: ResultInContext[] = []
  for (const result of results.slice(0, most)) {
    const size = [result.message, ...(result.before ?? []), ...(result.after ?? [])].reduce(
      (sum, { content, metadata }) =>
        sum + content.length + (Object.keys(metadata as object).length > 0 ? JSON.stringify(metadata).length : 0),
      0
    )
    if (size > left) continue
    left -= size
    kept.push(result)
  }
  return { kept, truncated: kept.length < results.length, has_more }
}
