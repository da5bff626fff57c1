import { Type } from '@sinclair/typebox'
import { openCursor, pageOf, sealCursor, timeAndId } from '../../kernel/cursor.js'
import { defineTool } from '../../kernel/tool.js'
import { listSessions as list } from '../store/session-list.js'
import { sessionSummaries } from './session-view.js'
import { pageFields, SessionSummary } from '../../kernel/answer-shapes.js'
import { MetadataFilter } from '../../kernel/metadata-shapes.js'
import { AgentId, Cursor, input, Limit, output, Text } from '../../kernel/shapes.js'

const QUERY_MAX = 500

const NAME = 'list_sessions'

export const listSessions = defineTool({
  name: NAME,
  title: 'List sessions',
  description: 'Find sessions, newest first; archived ones only with archived.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    created_by: Type.Optional(AgentId('Who opened it')),
    active: Type.Optional(Type.Boolean({ description: 'true: open ones; false: closed ones' })),
    archived: Type.Optional(Type.Boolean({ default: false, description: 'true: only archived ones' })),
    query: Type.Optional(Text(0, QUERY_MAX, 'What its purpose is about')),
    metadata_filter: MetadataFilter('What its metadata contains'),
    limit: Limit(50, 200),
    cursor: Cursor
  }),
  output: output({ sessions: Type.Array(SessionSummary), ...pageFields }),
  async handler({ created_by, active, archived = false, query, metadata_filter, limit = 50, cursor }, { db, agent }) {
    const of = [NAME, created_by, active, archived, query, metadata_filter]
    const place = cursor === undefined ? undefined : timeAndId(openCursor(of, cursor), 'string')
    const rows = await list(db, agent, {
      created_by,
      active,
      archived,
      query: query?.trim() || undefined,
      metadata_filter,
      limit,
      after: place && { created_at: place.time, id: place.id }
    })
    const { items, ...rest } = pageOf(rows, limit, ({ created_at, id }) => sealCursor(of, [created_at, id]))
    return { sessions: await sessionSummaries(db, agent, items), ...rest }
  }
})
