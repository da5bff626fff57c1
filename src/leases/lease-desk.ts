import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent } from '../kernel/agent.js'
import { createBatcher } from '../kernel/batcher.js'
import type { AuditRow } from '../kernel/receipt.js'
import * as audit from '../audit/store/rows.js'
import { inWorkspace, transact, type Unscoped } from '../postgres/scope.js'
import { type HeldLease, holdersOf, type ListedLease, takeNames } from './store/leases.js'

/** Calls whose names one statement looks up, at most. */
const BATCH_MAX = 500
/** Milliseconds that a call waits for others that are taking one of its names. They may wait for a lock. */
const OTHERS_MS = 1000

export interface LeaseRequest {
  agent: Agent
  names: readonly string[]
  ttl_seconds: number
  purpose: string | undefined
  audit: AuditRow
}

export interface LeaseDesk {
  /** @returns undefined if somebody holds one of the names, or is long in taking one; then none is taken */
  take: (request: LeaseRequest) => Promise<HeldLease[] | undefined>
  /** Who holds which of the names. */
  holders: (agent: Agent, names: readonly string[]) => Promise<ListedLease[]>
}

class NamesHeld extends Error {}

/** Waits for all of them. @returns false if the time, by performance.now(), came first */
async function settledBy(time: number, works: ReadonlyArray<Promise<unknown>>): Promise<boolean> {
  const left = new AbortController()
  try {
    return await Promise.race([
      Promise.allSettled(works).then(() => true),
      sleep(Math.max(0, time - performance.now()), false, { signal: left.signal })
    ])
  } finally {
    left.abort()
  }
}

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
      const ends = performance.now() + OTHERS_MS
      for (;;) {
        // One statement looks for all who wait, so a released name costs one transaction and not one for each.
        if (!(await looks.add({ workspace, names: request.names }))) return undefined
        const others = keys.flatMap(key => taking.get(key) ?? [])
        if (others.length === 0) break
        // If they get nothing, the name may still be free: look again.
        if (!(await settledBy(ends, others))) return undefined
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
