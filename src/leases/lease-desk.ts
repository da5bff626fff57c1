import type { Agent } from '../kernel/agent.js'
import { createBatcher } from '../kernel/batcher.js'
import type { AuditRow } from '../kernel/receipt.js'
import * as audit from '../audit/store/rows.js'
import { inWorkspace, transact, type Unscoped } from '../postgres/scope.js'
import { type HeldLease, holdersOf, type ListedLease, takeNames } from './store/leases.js'

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
  /** Who holds which of the names. */
  holders: (agent: Agent, names: readonly string[]) => Promise<ListedLease[]>
}

class NamesHeld extends Error {}

export function createLeaseDesk(database: Unscoped): LeaseDesk {
  /**
   * What this replica is taking at the moment. A second call for the same name waits for the end of the first one here,
   * where it holds no connection.
   */
  const taking = new Map<string, Promise<unknown>>()
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
    async take(request) {
      const { workspace } = request.agent
      const keys = request.names.map(name => `${workspace}\n${name}`)
      for (;;) {
        // One look for all who wait, so that a name that is given up costs one transaction, and not one for each.
        if (!(await looks.add({ workspace, names: request.names }))) return undefined
        const others = keys.flatMap(key => taking.get(key) ?? [])
        if (others.length === 0) break
        // They may get nothing, since somebody holds another of their names.
        await Promise.allSettled(others)
      }
      const taken = takeAll(request)
      for (const key of keys) taking.set(key, taken)
      try {
        return await taken
      } finally {
        for (const key of keys) taking.delete(key)
      }
    },
    holders: async ({ workspace }, names) => holdersOf(inWorkspace(database, workspace), workspace, names)
  }

  async function takeAll({ agent, names, ttl_seconds, purpose, audit: row }: LeaseRequest) {
    try {
      return await transact(inWorkspace(database, agent.workspace), async tx => {
        const taken = await takeNames(tx, agent, names, ttl_seconds, purpose)
        if (taken.length < names.length) throw new NamesHeld()
        await audit.write(tx, row)
        return taken
      })
    } catch (error) {
      if (error instanceof NamesHeld) return undefined
      throw error
    }
  }
}
