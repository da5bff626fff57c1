import { Type } from '@sinclair/typebox'
import { Nullable, Time } from '../../kernel/answer-shapes.js'
import { AgentId, input, Limit, output, Text } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import { list } from '../store/leases.js'

export const listLeases = defineTool({
  name: 'list_leases',
  title: 'List held names',
  description: 'Who holds which names, and until when, sorted by name.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    prefix: Type.Optional(Text(1, 500, 'Only names that begin with exactly this')),
    holder: Type.Optional(AgentId('Only what this agent holds')),
    limit: Limit(100, 1000)
  }),
  output: output({
    leases: Type.Array(
      Type.Object({
        name: Type.String(),
        holder: Type.String(),
        purpose: { ...Nullable(Type.String()), description: 'What for, as the holder said' },
        expires_at: Time
      })
    ),
    count: Type.Integer(),
    has_more: Type.Boolean()
  }),
  async handler({ limit = 100, ...filter }, { db, agent }) {
    needWholeWorkspace(agent)
    const rows = await list(db, agent.workspace, { ...filter, limit })
    const leases = rows.slice(0, limit)
    return { leases, count: leases.length, has_more: rows.length > limit }
  }
})
