import { Type } from '@sinclair/typebox'
import { AppError } from '../../kernel/errors.js'
import { Whole } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { setRetention as store } from '../store/retention-setting.js'
import { RETENTION_DAYS_MAX, retentionFields, retentionView } from '../retention-view.js'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import { IdempotencyKey, input, output } from '../../kernel/shapes.js'
import type { RetentionDefaults } from '../retention-view.js'

export const setRetention = (defaults: RetentionDefaults) =>
  defineTool({
    name: 'set_retention',
    title: 'Set how long things are kept',
    description:
      'Set for how many days this workspace keeps messages, and closed or archived sessions in ' +
      'which nothing has happened since. What is older is deleted for good within the hour, ' +
      'and from then on as it comes of age. 0 keeps everything for ever; use_server_default: ' +
      "true gives up the workspace's own setting. Memory is not touched, nor is the audit log: " +
      'only the operator says how long that is kept.',
    permission: 'admin',
    effect: 'replaces',
    repeatable: true,
    commits: 'transaction',
    input: input(
      {
        days: Type.Optional(
          Whole({ minimum: 0, maximum: RETENTION_DAYS_MAX, description: 'Days to keep things; 0: for ever' })
        ),
        use_server_default: Type.Optional(
          Type.Boolean({ description: 'true: instead of days, whatever the server is set to' })
        ),
        idempotency_key: IdempotencyKey
      },
      {
        oneOf: [
          { required: ['days'] },
          { required: ['use_server_default'], properties: { use_server_default: { enum: [true] } } }
        ]
      }
    ),
    output: output(retentionFields),
    audit: ({ days }) => ({ event_type: 'retention_set', metadata: { days: days ?? 'server' } }),
    async handler({ days, use_server_default = false }, { db, agent }) {
      if ((days === undefined) !== use_server_default) {
        throw new AppError('INVALID_INPUT', 'Pass either days or use_server_default: true.', {
          context: { argument: 'days', given: days === undefined ? 'neither' : 'both', allowed: 'one of the two' },
          suggestions: [
            'Pass days, such as 90; 0 keeps everything for ever',
            "Or pass use_server_default: true to follow the server's setting"
          ]
        })
      }
      needWholeWorkspace(agent)
      await store(db, 'retention', agent.workspace, days)
      return retentionView(db, agent.workspace, defaults)
    }
  })
