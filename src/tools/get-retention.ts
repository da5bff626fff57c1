import { defineTool } from '../core/tool.js'
import { retentionOf } from '../db/life/retention.js'
import { retentionFields } from './retention-view.js'
import { input, output } from './shapes.js'

export const getRetention = defineTool({
  name: 'get_retention',
  title: 'See how long things are kept',
  description: 'For how many days this workspace keeps messages and closed sessions, and whether that is its own setting or the server\'s.',
  permission: 'admin',
  effect: 'reads',
  // For its audit row.
  commits: 'transaction',
  input: input({}),
  output: output(retentionFields),
  audit: () => ({ event_type: 'retention_read' }),
  async handler (_input, { db, agent, service }) {
    return { ...await retentionOf(db, agent.workspace, service.retention_days), server_days: service.retention_days }
  }
})
