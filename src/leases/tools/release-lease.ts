import { Type } from '@sinclair/typebox'
import { isAdmin } from '../../kernel/agent.js'
import { missingArgument } from '../../kernel/argument-errors.js'
import { leasesTopic } from '../../kernel/events.js'
import { input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { LeaseName, NamedLeases, Token } from '../lease-shapes.js'
import { release } from '../store/leases.js'

export const releaseLease = defineTool({
  name: 'release_lease',
  title: 'Give names up',
  description:
    'Give up names that you hold. What you do not hold any more is passed over. An admin may leave token out, and ' +
    "then ends anybody's.",
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({
    leases: NamedLeases({ name: LeaseName, token: Type.Optional(Token) })
  }),
  output: output({
    released: Type.Array(Type.String(), { description: 'The names that were held until now' }),
    count: Type.Integer()
  }),
  audit: (_input, { count }) => ({ event_type: 'lease_released', metadata: { names: count } }),
  affectedTopics: (_input, { count }, { agent }) => (count > 0 ? [leasesTopic(agent.workspace)] : []),
  async handler({ leases }, { db, agent }) {
    const without = leases.findIndex(({ token }) => token === undefined)
    if (without !== -1 && !isAdmin(agent)) throw missingArgument('token', Token, `leases/${without}`)
    const released = await release(db, agent, leases)
    return { released, count: released.length }
  }
})
