import type pg from 'pg'
import { ConnectError, isConnectionFault, isPoolBusy } from './faults.js'

/** A pool that never hands out a connection again after a fault that may have spoilt it. */
export interface GuardedPool {
  /**
   * @throws ConnectError if the database refuses or cannot be reached
   * @throws Error of pg-pool if all connections stay busy for the pool's connection time-out
   */
  take: () => Promise<pg.PoolClient>
  /**
   * Takes a connection back.
   * @param fault the fault that happened on it, if one did
   * @param answered whether PostgreSQL has answered: what was not used proves nothing
   */
  giveBack: (client: pg.PoolClient, fault?: unknown, answered?: boolean) => void
  /** When a connection last came back without a fault, by performance.now(); -Infinity if none has. */
  lastGoodAt: () => number
  /** Why there is no usable connection. Undefined: the last one was usable. */
  lastFault: () => ConnectError | undefined
}

export interface GuardOptions {
  /**
   * Milliseconds after which a connection is not used again; 0 for never. Each has between three quarters and all of
   * it.
   */
  max_age_ms?: number
}

/**
 * If one connection has been ended, or its server has become read-only, the same is usually true of all connections to
 * that server. So the idle ones are ended too. The next calls connect again, to the server that the address leads to
 * then.
 */
export function guardPool(pool: Pick<pg.Pool, 'connect'>, { max_age_ms = 0 }: GuardOptions = {}): GuardedPool {
  /** How often idle connections have been given up. */
  let generation = 0
  /** The generation in which each connection was made or last came back. */
  const generationOf = new WeakMap<pg.PoolClient, number>()
  /** Until when each connection may be used. */
  const expiryOf = new WeakMap<pg.PoolClient, number>()
  let last_good_at = -Infinity
  let last_fault: ConnectError | undefined

  async function connect(): Promise<pg.PoolClient> {
    try {
      return await pool.connect()
    } catch (error) {
      if (isPoolBusy(error)) throw error
      generation++
      last_fault = error instanceof ConnectError ? error : new ConnectError(error)
      throw last_fault
    }
  }

  return {
    async take() {
      for (;;) {
        const client = await connect()
        if (!generationOf.has(client)) {
          generationOf.set(client, generation)
          // Not all at once: connections that were made together would otherwise be replaced together.
          if (max_age_ms > 0) expiryOf.set(client, performance.now() + max_age_ms * (0.75 + Math.random() / 4))
        }
        if (generationOf.get(client) === generation && !(performance.now() > (expiryOf.get(client) ?? Infinity)))
          return client
        client.release(true)
      }
    },
    giveBack(client, fault, answered = false) {
      if (isConnectionFault(fault)) generation++
      // 'I': no transaction. In one that is open, or has failed, the next call would run inside it.
      const reusable = !isConnectionFault(fault) && client.getTransactionStatus() === 'I'
      if (reusable) generationOf.set(client, generation)
      if (fault === undefined && answered) {
        last_good_at = performance.now()
        last_fault = undefined
      } else if (fault instanceof ConnectError) last_fault = fault
      client.release(!reusable)
    },
    lastGoodAt: () => last_good_at,
    lastFault: () => last_fault
  }
}
