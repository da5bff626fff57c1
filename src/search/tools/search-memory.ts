import { Type } from '@sinclair/typebox'
import { Allowed, AnyValueField, Checked, Numeric } from '../../kernel/schema.js'
import { notBoth } from '../../kernel/page-rules.js'
import { Nullable, Time } from '../../kernel/answer-shapes.js'
import { input, Limit, output } from '../../kernel/shapes.js'
import { characters } from '../../kernel/text.js'
import { defineTool } from '../../kernel/tool.js'
import { placeFields, placeOf, whereToRead } from '../../memory/memory-scope.js'
import { isPath, OptionalNamespace } from '../../memory/namespace.js'
import { GLOBAL } from '../../memory/store/entries.js'
import { latest } from '../../memory/store/memory-latest.js'
import { rankTexts } from '../rank-texts.js'
import { metadataValues } from '../terms.js'
import type { LimitSearch } from '../search-limit.js'

const QUERY_MAX = 500
const EVERY_SCOPE = 'all'
/** Values that one search looks at, the last updated; their bytes together; and characters of each. */
const VALUES_MAX = 2000
const BYTES_MAX = 2_000_000
const TEXT_MAX = 20_000

export const searchMemory = (limitSearch: LimitSearch) =>
  defineTool({
    name: 'search_memory',
    title: 'Search what is remembered',
    description:
      'Find what you have stored by its key, its value or its metadata, best first, as search_context finds ' +
      'messages. Searches everything of yours, with session_id one session, with namespace that and all below it.',
    permission: 'read',
    effect: 'reads',
    commits: 'none',
    input: input(
      {
        query: Checked<string>(
          { type: 'string', maxLength: QUERY_MAX, description: 'What to look for; an empty query finds nothing' },
          value => typeof value === 'string' && characters(value) <= QUERY_MAX,
          { [Allowed]: `a string of 0 to ${QUERY_MAX} characters` }
        ),
        session_id: Type.Optional(
          Checked<string>(
            { type: 'string', description: 'Only the memory of this session; left out or "all": every scope' },
            value => typeof value === 'string' && value.length <= 300,
            { [Allowed]: 'a session_id, or "all"' }
          )
        ),
        namespace: OptionalNamespace('Search this shared namespace, and not your own memory'),
        fuzzy_threshold: Type.Optional(
          Numeric({ minimum: 0, maximum: 100, default: 60, description: 'The least score of a result' })
        ),
        limit: Limit(10, 100)
      },
      notBoth('session_id', 'namespace')
    ),
    output: output({
      results: Type.Array(
        Type.Object({
          key: Type.String(),
          ...placeFields,
          session_id: Nullable(Type.String()),
          value: AnyValueField,
          score: Type.Number({ description: '0 to 100; 100 is an exact match' }),
          updated_at: Time
        })
      ),
      query: Type.String(),
      threshold: Type.Number(),
      count: Type.Integer(),
      partial: Type.Boolean({ description: 'Whether you have stored more than one search looks at' })
    }),
    async handler({ query, session_id: named, namespace, fuzzy_threshold: threshold = 60, limit = 10 }, { db, agent }) {
      const session_id = named === EVERY_SCOPE ? undefined : named
      const everywhere = session_id === undefined && namespace === undefined
      const where = everywhere ? undefined : await whereToRead(db, agent, { session_id, namespace })
      const { entries, cut } = await latest(db, agent, where, VALUES_MAX, BYTES_MAX)
      const texts = entries.map(entry => ({
        of: entry,
        texts: [entry.key, ...metadataValues(entry.value), ...metadataValues(entry.metadata)].map(text =>
          text.slice(0, TEXT_MAX)
        )
      }))
      const found = await limitSearch(agent, () => rankTexts(db, agent.workspace, query, texts, threshold, limit))
      return {
        results: found.map(({ of, score }) => ({
          key: of.key,
          ...placeOf(of.session_id),
          session_id: of.session_id === GLOBAL || isPath(of.session_id) ? null : of.session_id,
          value: of.value,
          score,
          updated_at: of.updated_at
        })),
        query,
        threshold,
        count: found.length,
        partial: cut
      }
    }
  })
