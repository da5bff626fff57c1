import fp from 'fastify-plugin'
import { acrossWorkspaces } from '../postgres/scope.js'
import { throttleFailedAuth } from './failed-auth-throttle.js'
import { type Quotas, quotasOf } from './quotas.js'
import { createLimits, type Limits } from './rate-limits.js'
import { countCalls } from './store/rate-limits.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** How often callers may call. */
    limits: Limits
    /** How much may be stored. */
    quotas: Quotas
  }
}

type LimitsOptions = {
  [limit in 'agent' | 'key' | 'address' | 'failures' | 'initialize' as `rate_limit_${limit}_per_minute`]: number
} & Parameters<typeof quotasOf>[0]

/** Rate limits on all replicas together, quotas, and the throttle of wrong credentials. */
export const limitsPlugin = fp(
  async (app, config: LimitsOptions) => {
    const per_minute = {
      agent: config.rate_limit_agent_per_minute,
      key: config.rate_limit_key_per_minute,
      address: config.rate_limit_address_per_minute,
      failure: config.rate_limit_failures_per_minute,
      initialize: config.rate_limit_initialize_per_minute,
      // A key may serve hundreds of clients, and a workspace has several keys.
      initialize_key: 5 * config.rate_limit_initialize_per_minute,
      initialize_workspace: 10 * config.rate_limit_initialize_per_minute
    }
    // Not on the pool: a call that is counted may hold a connection of the pool, and would wait for a second one behind
    // calls that do the same.
    const counter = countCalls(acrossWorkspaces(app.database.watch), per_minute)
    const limits = createLimits(counter.take, per_minute)
    app.decorate('limits', limits)
    app.decorate('quotas', quotasOf(config))
    app.kernel.provide({
      countCall: limits.call,
      throttleFailedAuth: (error, caller) => throttleFailedAuth(error, caller, limits, app.stopping)
    })
    app.addHook('onClose', () => counter.close())
  },
  { name: 'limits', dependencies: ['kernel', 'postgres'] }
)
