import type pg from 'pg'
import { ConnectError, isConnectionFault, isPoolBusy } from './faults.js'

/** Connections to run statements on. A connection that may be spoilt is never handed out again. */
export interface GuardedPool {
  /**
   * @throws ConnectError where the database refuses or cannot be reached
   * @throws Error of pg-pool where all connections stayed busy for the pool's connection time-out
   */
  take: () => Promise<pg.PoolClient>
  /** Takes a connection back. @param fault the last thing that went wrong on it */
  giveBack: (client: pg.PoolClient, fault?: unknown) => void
  /** When a connection last came back without a fault, by performance.now(); -Infinity if none has. */
  lastGoodAt: () => number
}

/**
 * A fault of one connection (it was ended, or its server became read-only) is usually a fault of all connections to
 * that server. So it also ends the idle ones: the next calls connect anew, to whichever server the address leads to by
 * then.
 */
export function guardPool(pool: Pick<pg.Pool, 'connect'>): GuardedPool {
  /** How often idle connections were ended. */
  let ended = 0
  /** Of each idle connection, the count above at the time it became idle. */
  const idleSince = new WeakMap<pg.PoolClient, number>()
  let last_good_at = -Infinity

  return {
    async take() {
      for (;;) {
        let client
        try {
          client = await pool.connect()
        } catch (error) {
          if (isPoolBusy(error)) throw error
          ended++
          throw new ConnectError(error)
        }
        if ((idleSince.get(client) ?? ended) === ended) return client
        client.release(true)
      }
    },
    giveBack(client, fault) {
      if (isConnectionFault(fault)) ended++
      // 'I': in no transaction. A connection that is inside one, or inside a failed one, would run the next call in it.
      const reusable = !isConnectionFault(fault) && client.getTransactionStatus() === 'I'
      if (reusable) idleSince.set(client, ended)
      if (fault === undefined) last_good_at = performance.now()
      client.release(!reusable)
    },
    lastGoodAt: () => last_good_at
  }
}
