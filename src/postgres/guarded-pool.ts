import type pg from 'pg'
import { ConnectError, isConnectionFault, isPoolBusy } from './faults.js'

/** A pool that never hands out a connection again after a fault that may have spoilt it. */
export interface GuardedPool {
  /**
   * @throws ConnectError if the database refuses or cannot be reached
   * @throws Error of pg-pool if all connections stay busy for the pool's connection time-out
   */
  take: () => Promise<pg.PoolClient>
  /** Takes a connection back. @param fault the last fault that happened on it */
  giveBack: (client: pg.PoolClient, fault?: unknown) => void
  /** When a connection last came back without a fault, by performance.now(); -Infinity if none has. */
  lastGoodAt: () => number
}

/**
 * If one connection has been ended, or its server has become read-only, the same is usually true of all connections to
 * that server. So the idle ones are ended too. The next calls connect again, to the server that the address leads to
 * then.
 */
export function guardPool(pool: Pick<pg.Pool, 'connect'>): GuardedPool {
  /** How often idle connections have been given up. */
  let generation = 0
  /** The generation in which each idle connection came back. */
  const generationOf = new WeakMap<pg.PoolClient, number>()
  let last_good_at = -Infinity

  return {
    async take() {
      for (;;) {
        let client
        try {
          client = await pool.connect()
        } catch (error) {
          if (isPoolBusy(error)) throw error
          generation++
          throw new ConnectError(error)
        }
        if ((generationOf.get(client) ?? generation) === generation) return client
        client.release(true)
      }
    },
    giveBack(client, fault) {
      if (isConnectionFault(fault)) generation++
      // 'I': no transaction. In one that is open, or has failed, the next call would run inside it.
      const reusable = !isConnectionFault(fault) && client.getTransactionStatus() === 'I'
      if (reusable) generationOf.set(client, generation)
      if (fault === undefined) last_good_at = performance.now()
      client.release(!reusable)
    },
    lastGoodAt: () => last_good_at
  }
}
