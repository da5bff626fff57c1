import type { Agent } from '../kernel/agent.js'
import { createBatcher } from '../kernel/batcher.js'
import { AppError } from '../kernel/errors.js'
import type { AuditRow } from '../kernel/receipt.js'
import * as audit from '../audit/store/rows.js'
import { inWorkspace, transact, type Unscoped } from '../postgres/scope.js'
import { type HeldLease, holdersOf, takeNames } from './store/leases.js'

/** Calls whose names one statement looks up, at most. */
const BATCH_MAX = 500

export interface LeaseRequest {
  agent: Agent
  names: readonly string[]
  ttl_seconds: number
  purpose: string | undefined
  audit: AuditRow
}

export interface LeaseDesk {
  /** @returns undefined if somebody holds one of the names; then none is taken */
  take: (request: LeaseRequest) => Promise<HeldLease[] | undefined>
  /** The error that says who holds which of the names. */
  held: (agent: Agent, names: readonly string[]) => Promise<AppError>
}

class NamesHeld extends Error {}

export function createLeaseDesk(database: Unscoped): LeaseDesk {
  /** What this replica is taking at the moment: a second call for the same name would only wait for the first. */
  const taking = new Set<string>()
  const looks = createBatcher<{ workspace: string; names: readonly string[] }, boolean>({
    async flush(asked, workspace) {
      const names = [...new Set(asked.flatMap(({ names }) => names))]
      const held = new Set(
        (await holdersOf(inWorkspace(database, workspace), workspace, names)).map(({ name }) => name)
      )
      return asked.map(({ names }) => names.every(name => !held.has(name)))
    },
    group: ({ workspace }) => workspace,
    weight_max: BATCH_MAX,
    group_in_flight_max: 1
  })

  return {
    async take({ agent, names, ttl_seconds, purpose, audit: row }) {
      const { workspace } = agent
      // One look for all who wait, so that a name that is given up costs one transaction, and not one for each of them.
      if (!(await looks.add({ workspace, names }))) return undefined
      const keys = names.map(name => `${workspace}\n${name}`)
      if (keys.some(key => taking.has(key))) return undefined
      for (const key of keys) taking.add(key)
      try {
        return await transact(inWorkspace(database, workspace), async tx => {
          const taken = await takeNames(tx, agent, names, ttl_seconds, purpose)
          if (taken.length < names.length) throw new NamesHeld()
          await audit.write(tx, row)
          return taken
        })
      } catch (error) {
        if (error instanceof NamesHeld) return undefined
        throw error
      } finally {
        for (const key of keys) taking.delete(key)
      }
    },
    async held({ workspace }, names) {
      const holders = await holdersOf(inWorkspace(database, workspace), workspace, names)
      return new AppError('LEASE_HELD', 'Somebody holds a lease on one of the names, so none was taken.', {
        context: { holders }
      })
    }
  }
}
