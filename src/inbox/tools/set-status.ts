import { Type } from '@sinclair/typebox'
import { Time } from '../../kernel/answer-shapes.js'
import { Code, HoldsText, Whole } from '../../kernel/schema.js'
import { IdempotencyKey, input, output, Text } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { setStatus as set } from '../store/agents.js'

const STATUS_MAX = 200
/** Seconds. */
const EXPIRES_DEFAULT = 3600
const EXPIRES_MAX = 2_592_000

export const setStatus = defineTool({
  name: 'set_status',
  title: 'Say what you do',
  description: 'Say what you do now, as list_agents shows it.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({
    status: Text(0, STATUS_MAX, 'What you do; empty: nothing', { [HoldsText]: true }),
    expires_in: Type.Optional(
      Whole({
        minimum: 1,
        maximum: EXPIRES_MAX,
        default: EXPIRES_DEFAULT,
        description: 'Seconds for which it holds',
        [Code]: 'INVALID_TTL'
      })
    ),
    idempotency_key: IdempotencyKey
  }),
  output: output({ agent_id: Type.String(), status: Type.String(), expires_at: Time }),
  audit: () => ({ event_type: 'status_set' }),
  async handler({ status, expires_in = EXPIRES_DEFAULT }, { db, agent }) {
    return { agent_id: agent.agent_id, status, expires_at: await set(db, agent, status, expires_in) }
  }
})
