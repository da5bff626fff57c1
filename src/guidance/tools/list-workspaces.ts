import { Type } from '@sinclair/typebox'
import { needOperator } from '../../agents/whole-workspace.js'
import { pageFields } from '../../kernel/answer-shapes.js'
import { foreignCursor, openCursor, pageOf, sealCursor } from '../../kernel/cursor.js'
import { Cursor, input, Limit, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import type { Quotas } from '../../limits/quotas.js'
import { acrossWorkspacesIn } from '../../postgres/scope.js'
import { knownWorkspaces } from '../../lifecycle/store/known.js'
import { WorkspaceSize } from '../workspace-size.js'
import { sizesOf } from '../store/workspace-sizes.js'

const NAME = 'list_workspaces'

/** @param retention_days of workspaces without a setting of their own */
export const listWorkspaces = (quotas: Quotas, retention_days: number) =>
  defineTool({
    name: NAME,
    title: 'List workspaces',
    description:
      'For the operator, with the shared ADMIN_API_KEY: every workspace that has or had something, by name, with how ' +
      'much it holds, and the quotas of the server. A workspace begins with its first key, which create_api_key ' +
      'makes. Admins of a workspace are refused.',
    permission: 'admin',
    effect: 'reads',
    commits: 'transaction',
    input: input({ limit: Limit(50, 200), cursor: Cursor }),
    output: output({
      workspaces: Type.Array(WorkspaceSize),
      quotas: Type.Object(
        {
          sessions: Type.Integer({ description: 'Of a workspace' }),
          session_messages: Type.Integer({ description: 'Of a session' }),
          session_bytes: Type.Integer({ description: 'Of a session' }),
          memory_entries: Type.Integer({ description: 'Of an agent' }),
          memory_bytes: Type.Integer({ description: 'Of an agent' }),
          tasks: Type.Integer({ description: 'Of a workspace, that are not done' })
        },
        { description: 'The most that there may be; 0: any amount' }
      ),
      ...pageFields
    }),
    audit: () => ({ event_type: 'workspaces_listed' }),
    async handler({ limit = 50, cursor }, { db, agent }) {
      needOperator(agent, 'The sizes of workspaces')
      const after = cursor === undefined ? '' : nameIn(openCursor([NAME], cursor))
      const rows = await acrossWorkspacesIn(db, async () => {
        const names = (await knownWorkspaces(db)).filter(name => name > after)
        return sizesOf(db, names.slice(0, limit + 1), retention_days)
      })
      const { items, ...page } = pageOf(rows, limit, ({ workspace }) => sealCursor([NAME], [workspace]))
      return { workspaces: items, quotas, ...page }
    }
  })

function nameIn([name]: readonly unknown[]): string {
  if (typeof name === 'string') return name
  throw foreignCursor()
}
