import { Type } from '@sinclair/typebox'
import { pageFields } from '../../kernel/answer-shapes.js'
import { foreignCursor, openCursor, pageOf, sealCursor } from '../../kernel/cursor.js'
import { HoldsText, Whole } from '../../kernel/schema.js'
import { AgentType, Cursor, input, Limit, output, Text } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { ListedAgent } from '../inbox-shapes.js'
import { listAgents as list } from '../store/agents.js'

const QUERY_MAX = 200
/** Seconds. Agents that have not called for 30 days are forgotten. */
const WITHIN_MAX = 2_592_000

export const listAgents = defineTool({
  name: 'list_agents',
  title: 'List agents',
  description: 'The agents of the workspace: who waits now, and what they do.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    query: Type.Optional(Text(1, QUERY_MAX, 'Text in agent_id or status', { [HoldsText]: true })),
    agent_type: Type.Optional(AgentType('Only this type')),
    active_within_seconds: Type.Optional(
      Whole({ minimum: 1, maximum: WITHIN_MAX, description: 'Who called within so many seconds' })
    ),
    limit: Limit(50, 200),
    cursor: Cursor
  }),
  output: output({
    agents: Type.Array(ListedAgent),
    ...pageFields
  }),
  async handler({ limit = 50, cursor, ...filter }, { db, agent }) {
    const { query, agent_type, active_within_seconds } = filter
    const of = ['list_agents', query, agent_type, active_within_seconds]
    const after = cursor === undefined ? undefined : openCursor(of, cursor)[0]
    if (after !== undefined && (typeof after !== 'string' || /[\p{Cc}\p{Cs}]/u.test(after))) throw foreignCursor()
    const rows = await list(db, agent, { ...filter, limit, after })
    const { items, ...page } = pageOf(rows, limit, ({ agent_id }) => sealCursor(of, [agent_id]))
    return { agents: items, ...page }
  }
})
