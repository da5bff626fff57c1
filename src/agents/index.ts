import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import type { Agent } from '../kernel/agent.js'
import type { Caller } from '../kernel/caller.js'
import { addGauge } from '../kernel/metrics.js'
import { acrossWorkspaces, inWorkspace } from '../postgres/scope.js'
import { DatabaseClock } from './clock.js'
import { identify } from './identify.js'
import type { IsStoredAgent } from '../kernel/names.js'
import { isStoredAgent } from './store/stored-agents.js'
import { createKeys } from './keys.js'
import { rememberKeys } from './store/api-keys.js'
import { trackPresence } from './store/presence.js'
import { followRevocations } from './store/revocations.js'
import type { OutsideRules } from './tokens/outside-tokens.js'
import { registerTokens } from './tokens/tokens.js'
import { authenticateAgent } from './tools/authenticate-agent.js'
import { createApiKey } from './tools/create-api-key.js'
import { createToken } from './tools/create-token.js'
import { listApiKeys } from './tools/list-api-keys.js'
import { refreshToken } from './tools/refresh-token.js'
import { revokeApiKey } from './tools/revoke-api-key.js'
import { revokeToken } from './tools/revoke-token.js'
import type { Verifiers } from './verifiers.js'

declare module 'fastify' {
  interface FastifyInstance {
    verifiers: Verifiers
    /** The database's clock: milliseconds since 1970. */
    databaseNow: () => number
    /** @throws AppError with one of the 401 codes */
    identify: (caller: Caller) => Promise<Agent | null>
  }
}

export interface AgentsOptions extends OutsideRules {
  /** The first signs tokens, all verify them; the same on every replica. */
  jwt_secrets: readonly string[]
  jwt_expires_in: number
  shared_api_key: boolean
  api_key: string | undefined
  admin_api_key: string | undefined
  auth_enabled: boolean
  statement_timeout_ms: number
}

/** Milliseconds that the start waits for the first reading of revocations and clock. */
const FIRST_READING_MS = 1000

/** Who calls: API keys, tokens of the service's own and of an outside issuer, revocation, presence. */
export const agentsPlugin = fp(
  async (app, options: AgentsOptions) => {
    const { db, watch } = app.database
    const clock = new DatabaseClock((isOff, offset_seconds) => {
      if (isOff) app.log.warn({ offset_seconds }, "the clock of this replica differs from the database's")
      else app.log.info({ offset_seconds }, "the clock of this replica agrees with the database's again")
    })
    addGauge(
      app.metrics,
      'clock_offset_seconds',
      "Seconds by which this replica's clock is ahead of the database's; below 0: behind it.",
      () => clock.offset_seconds
    )
    const revocations = followRevocations(acrossWorkspaces(watch), options.statement_timeout_ms, clock)
    const presence = trackPresence(acrossWorkspaces(db))
    const isStored: IsStoredAgent = (workspace, agent_id) =>
      isStoredAgent(inWorkspace(db, workspace), workspace, agent_id)
    const tokens = await registerTokens(app, {
      isStoredAgent: isStored,
      secrets: options.jwt_secrets,
      expires_in: options.jwt_expires_in,
      shared_keys: options.shared_api_key,
      revocations,
      now: clock.now,
      outside: options
    })
    const keys = createKeys(
      options.shared_api_key ? options : 'off',
      rememberKeys(acrossWorkspaces(watch), revocations),
      clock.now
    )
    const verifiers: Verifiers = { auth_enabled: options.auth_enabled, keys, tokens, isStoredAgent: isStored }
    app.decorate('verifiers', verifiers)
    app.decorate('databaseNow', clock.now)
    app.decorate('identify', (caller: Caller) => identify(caller, verifiers))
    app.kernel.provide({ identify: app.identify, isStoredAgent: isStored, noteSeen: presence.seen })

    app.addTool(authenticateAgent(verifiers, app.limits))
    app.addTool(refreshToken(verifiers))
    app.addTool(revokeToken(verifiers))
    app.addTool(createToken(verifiers))
    app.addTool(createApiKey)
    app.addTool(listApiKeys)
    app.addTool(revokeApiKey)

    app.addHook('onReady', async () => {
      // Tokens are judged by the database's clock from the first call on, if the database answers.
      await Promise.race([revocations.start(), delay(FIRST_READING_MS, undefined, { ref: false })])
    })
    app.addHook('onClose', async () => {
      revocations.close()
      await presence.close()
    })
  },
  { name: 'agents', dependencies: ['kernel', 'postgres', 'limits', 'audit'] }
)
