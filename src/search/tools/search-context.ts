import { Type } from '@sinclair/typebox'
import { Allowed, Checked, Numeric, OneOf } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { characters } from '../../kernel/text.js'
import { CONTEXT_MAX, within, withContext } from '../context.js'
import { search } from '../search.js'
import type { LimitSearch } from '../search-limit.js'
import * as sessions from '../../sessions/store/sessions.js'
import { Message } from '../../kernel/answer-shapes.js'
import { MetadataFilter } from '../../kernel/metadata-shapes.js'
import { AgentId, DateTime, input, Limit, OptionalSessionId, output } from '../../kernel/shapes.js'
import { timeRange } from '../../kernel/time-range.js'

const QUERY_MAX = 500
/** From these scores on a result is of high or medium relevance (docs/semantics.md, Search). */
const HIGH = 80
const MEDIUM = 60

export const searchContext = (limitSearch: LimitSearch) =>
  defineTool({
    name: 'search_context',
    title: 'Search messages',
    description:
      'Find messages by what they say, their sender or metadata, best first. Typing errors and another order are ' +
      'forgiven; identifiers such as worker-1 must match.',
    permission: 'read',
    effect: 'reads',
    commits: 'none',
    input: input({
      session_id: OptionalSessionId('all not archived'),
      query: Checked<string>(
        { type: 'string', maxLength: QUERY_MAX, description: 'What to look for' },
        value => typeof value === 'string' && characters(value) <= QUERY_MAX,
        { [Allowed]: `a string of 0 to ${QUERY_MAX} characters` }
      ),
      fuzzy_threshold: Type.Optional(
        Numeric({
          minimum: 0,
          maximum: 100,
          default: 60,
          description: 'Least score; 100: exact matches'
        })
      ),
      limit: Limit(10, 100),
      search_metadata: Type.Optional(Type.Boolean({ default: true, description: 'Whether metadata counts' })),
      search_scope: Type.Optional(
        OneOf(['all', 'public', 'private'], {
          default: 'all',
          description: 'Which of them'
        })
      ),
      sender: Type.Optional(AgentId('Only of this agent')),
      start_time: Type.Optional(DateTime('From then on')),
      end_time: Type.Optional(DateTime('Up to then')),
      metadata_filter: MetadataFilter('What the metadata contains'),
      context: Type.Optional(
        Numeric({
          minimum: 0,
          maximum: CONTEXT_MAX,
          default: 0,
          description: 'Messages around each result'
        })
      ),
      max_tokens: Type.Optional(
        Numeric({
          minimum: 1,
          maximum: 1_000_000,
          description: 'About how many tokens at most'
        })
      ),
      explain: Type.Optional(Type.Boolean({ default: false, description: 'Say which words counted' }))
    }),
    output: output({
      results: Type.Array(
        Type.Object({
          message: Message,
          score: Type.Number({ description: '0 to 100; 100 is an exact match' }),
          match_preview: Type.String({ description: 'The part of the content around the match' }),
          relevance: Type.Unsafe<'high' | 'medium' | 'low'>({ type: 'string', enum: ['high', 'medium', 'low'] }),
          before: Type.Optional(
            Type.Array(Message, { description: 'With context: what came before it, oldest first' })
          ),
          after: Type.Optional(Type.Array(Message, { description: 'With context: what came after it, oldest first' })),
          terms: Type.Optional(
            Type.Array(
              Type.Object({
                term: Type.String(),
                weight: Type.Number({ description: 'How much the word counts: the rarer, the more' }),
                met: Type.Number({ description: 'How well it stands in the message, 0 to 1' })
              }),
              { description: 'With explain: the words of the query' }
            )
          )
        })
      ),
      query: Type.String(),
      threshold: Type.Number(),
      search_scope: Type.String(),
      message_count: Type.Integer({ description: 'How many results' }),
      partial: Type.Boolean({
        description:
          'Whether something may have been left out: too much met the query or is still to be indexed, or it took ' +
          'too long'
      }),
      truncated: Type.Optional(Type.Boolean({ description: 'With max_tokens: whether results were left out for it' })),
      has_more: Type.Optional(Type.Boolean({ description: 'Whether an answer has no room for the other results' })),
      search_time_ms: Type.Number()
    }),
    async handler(given, { db, agent }) {
      const {
        session_id,
        query,
        fuzzy_threshold: threshold = 60,
        limit = 10,
        search_metadata = true,
        search_scope = 'all',
        sender,
        metadata_filter,
        context = 0,
        max_tokens,
        explain = false
      } = given
      const started = performance.now()
      const { start, end } = timeRange(given.start_time, given.end_time)
      if (session_id !== undefined) await sessions.readSessionOrThrow(db, agent, session_id)
      const { results, partial } = await limitSearch(agent, () =>
        search(
          db,
          agent,
          query,
          {
            session_id,
            sender,
            scope: search_scope,
            start_time: start,
            end_time: end,
            metadata_filter,
            search_metadata
          },
          threshold,
          limit
        )
      )
      const around = await withContext(db, agent, results, Math.round(context))
      const { kept, truncated, has_more } = within(around, max_tokens)
      return {
        results: kept.map(({ terms, ...result }) => ({
          ...result,
          relevance:
            result.score >= HIGH ? ('high' as const) : result.score >= MEDIUM ? ('medium' as const) : ('low' as const),
          ...(explain && { terms })
        })),
        query,
        threshold,
        search_scope,
        message_count: kept.length,
        partial,
        ...(max_tokens !== undefined && { truncated }),
        ...(has_more && { has_more }),
        search_time_ms: Math.round((performance.now() - started) * 100) / 100
      }
    }
  })
