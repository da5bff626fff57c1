import { Type } from '@sinclair/typebox'
import { input, output, Text } from '../../kernel/shapes.js'
import { HoldsText } from '../../kernel/schema.js'
import { AppError } from '../../kernel/errors.js'
import { defineTool } from '../../kernel/tool.js'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import { refuseLongWait, WAIT_WORDS, type WaitUntilDeps, waitUntil, WaitSeconds } from '../../feed/wait-until.js'
import type { Agent } from '../../kernel/agent.js'
import type { LeaseDesk } from '../lease-desk.js'
import { HeldLeases, LeaseName, NAMES_MAX, TTL_SECONDS, TtlSeconds } from '../lease-shapes.js'
import type { HeldLease } from '../store/leases.js'

export interface AcquireDeps extends WaitUntilDeps {
  desk: LeaseDesk
  giveBack: (agent: Agent, leases: HeldLease[]) => Promise<unknown>
}

const PURPOSE_MAX = 1000
/** How often a call tries again that finds the names free after it was refused. Each time others were quicker. */
const TRIES_MAX = 10
const HELD = 'Somebody holds a lease on one of the names'
const TAKEN = 'Others took one of the names and gave it up while this call tried'

export const acquireLease = ({ desk, giveBack, ...waiting }: AcquireDeps) =>
  defineTool({
    name: 'acquire_lease',
    title: 'Hold names',
    description:
      'Hold names, all or none, so that nobody else holds them until you call release_lease or ttl_seconds are over: ' +
      'a file, a branch, a customer. Pass token along with what you write where the lease protects it: it grows with ' +
      `every holder. With wait_seconds (${WAIT_WORDS}) it waits for names that others hold.`,
    permission: 'write',
    effect: 'adds',
    commits: 'batch',
    input: input({
      names: Type.Array(LeaseName, { minItems: 1, maxItems: NAMES_MAX, description: 'The names' }),
      ttl_seconds: TtlSeconds,
      wait_seconds: Type.Optional(WaitSeconds()),
      purpose: Type.Optional(Text(1, PURPOSE_MAX, 'What for: those who want the name see it', { [HoldsText]: true }))
    }),
    output: output({ leases: HeldLeases }),
    audit: ({ names }) => ({ event_type: 'lease_acquired', metadata: { names: names.length } }),
    waits_ms: ({ wait_seconds = 0 }) => wait_seconds * 1000,
    async handler(
      { names: given, ttl_seconds = TTL_SECONDS, wait_seconds = 0, purpose },
      { agent, caller, receipt: { audit } }
    ): Promise<{ leases: HeldLease[] }> {
      refuseLongWait(caller, wait_seconds, 'wait_seconds')
      needWholeWorkspace(agent)
      const names = [...new Set(given)]
      const take = async (total_ms: number) =>
        waitUntil(
          {
            agent,
            caller,
            attempt: () => desk.take({ agent, names, ttl_seconds, purpose, audit }),
            giveBack: taken => giveBack(agent, taken),
            total_ms
          },
          waiting
        )
      let acquired = await take(wait_seconds * 1000)
      for (let tries = 1; typeof acquired === 'string'; tries++) {
        const holders = await desk.holders(agent, names)
        // Where nobody holds any, they were given up at this very moment.
        if (holders.length > 0 || tries === TRIES_MAX || caller.disconnected?.()?.aborted === true)
          throw new AppError('LEASE_HELD', `${holders.length > 0 ? HELD : TAKEN}, so none was taken.`, {
            context: { holders }
          })
        acquired = await take(0)
      }
      return { leases: acquired.got }
    }
  })
