import { defineTool } from '../../kernel/tool.js'
import { retentionFields, retentionView } from '../retention-view.js'
import { input, output } from '../../kernel/shapes.js'
import type { RetentionDefaults } from '../retention-view.js'

export const getRetention = (defaults: RetentionDefaults) =>
  defineTool({
    name: 'get_retention',
    title: 'See how long things are kept',
    description:
      'For how many days this workspace keeps messages and closed sessions, and audit rows, ' +
      "and whether that is its own setting or the server's.",
    permission: 'admin',
    effect: 'reads',
    // For its audit row.
    commits: 'transaction',
    input: input({}),
    output: output(retentionFields),
    audit: () => ({ event_type: 'retention_read' }),
    async handler(_input, { db, agent }) {
      return retentionView(db, agent.workspace, defaults)
    }
  })
