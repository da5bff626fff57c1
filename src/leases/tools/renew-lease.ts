import { AppError } from '../../kernel/errors.js'
import { input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { HeldLeases, LeaseName, NamedLeases, Token, TTL_SECONDS, TtlSeconds } from '../lease-shapes.js'
import { renew } from '../store/leases.js'

export const renewLease = defineTool({
  name: 'renew_lease',
  title: 'Hold names longer',
  description: 'Hold names that you hold for ttl_seconds from now on: all or none. Call it before expires_at.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({
    leases: NamedLeases({ name: LeaseName, token: Token }),
    ttl_seconds: TtlSeconds
  }),
  output: output({ leases: HeldLeases }),
  audit: ({ leases }) => ({ event_type: 'lease_renewed', metadata: { names: leases.length } }),
  async handler({ leases, ttl_seconds = TTL_SECONDS }, { db, agent }) {
    const renewed = await renew(db, agent, leases, ttl_seconds)
    const names = new Set(renewed.map(({ name }) => name))
    const lost = leases.filter(({ name }) => !names.has(name)).map(({ name }) => name)
    if (lost.length > 0)
      throw new AppError('LEASE_LOST', 'You do not hold all of these names any more, so none was renewed.', {
        context: { argument: 'leases', names: [...new Set(lost)] }
      })
    return { leases: renewed }
  }
})
