import type { Agent } from '../../core/agent.js'
import type { MessageRow } from '../messages.js'
import type { Db } from '../schema.js'
import { findCandidates, type Missing, type SearchFilter } from './candidates.js'
import { preview } from './preview.js'
import { parseQuery, type Query } from './query.js'
import { score } from './rank.js'

export type { SearchFilter } from './candidates.js'

export interface SearchResult {
  message: MessageRow
  score: number
  match_preview: string
}

/** Plain words from which on a question may be answered by a message that lacks one of them, if none has all. */
const QUESTION_WORDS = 4

/**
 * The messages a viewer may see that match a query, best first, newest first among equals.
 * query.ts takes the query apart, candidates.ts lets PostgreSQL find them, rank.ts judges, preview.ts shows where.
 */
export async function search (db: Db, viewer: Agent, text: string, filter: SearchFilter, threshold: number, limit: number): Promise<SearchResult[]> {
  const query = parseQuery(text)
  if (query.phrase === '') return []
  const found = rank(query, await findCandidates(db, viewer, query, filter, 0), threshold, 0)
  const question = query.words.length >= QUESTION_WORDS && query.words.every(word => word.pattern === undefined)
  const ranked = found.length === 0 && question
    ? rank(query, await findCandidates(db, viewer, query, filter, 1), threshold, 1)
    : found
  return ranked.slice(0, limit).map(({ message, score }) => ({ message, score, match_preview: preview(message.content, query) }))
}

function rank (query: Query, candidates: Awaited<ReturnType<typeof findCandidates>>, threshold: number, missing: Missing): Array<{ message: MessageRow, score: number }> {
  return candidates
    .map(candidate => {
      const { exact, phrase_similarity, word_similarities, text, ...message } = candidate
      return { message, score: score(query, candidate, missing) }
    })
    .filter(result => result.score >= threshold)
    .sort((a, b) => b.score - a.score || (a.message.timestamp < b.message.timestamp ? 1 : a.message.timestamp > b.message.timestamp ? -1 : b.message.id - a.message.id))
}
