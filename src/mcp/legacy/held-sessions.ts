import type { Unscoped } from '../../postgres/scope.js'
import * as mcpSessions from '../../agents/store/mcp-sessions.js'
import type { HeldSession } from '../../agents/store/mcp-sessions.js'

/** Reads the row of an MCP session again; undefined where it has ended. */
export type LookUp = (id_hash: Buffer) => Promise<HeldSession | undefined>

const ROWS_MAX = 500

/**
 * Reads rows that are requested at the same time with one query, one query at a time. After a lost notification
 * connection every stream reads its row, and thousands of queries would block the pool.
 */
export function batchSessionLookups(db: Unscoped): LookUp {
  interface Lookup {
    id_hash: Buffer
    resolve: (session: HeldSession | undefined) => void
    reject: (error: unknown) => void
  }
  let pending: Lookup[] = []
  let reading = false

  async function read(): Promise<void> {
    reading = true
    while (pending.length > 0) {
      const batch = pending.slice(0, ROWS_MAX)
      pending = pending.slice(ROWS_MAX)
      try {
        const found = new Map(
          (
            await mcpSessions.findAll(
              db,
              batch.map(({ id_hash }) => id_hash)
            )
          ).map(session => [session.id_hash.toString('hex'), session])
        )
        for (const { id_hash, resolve } of batch) resolve(found.get(id_hash.toString('hex')))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    reading = false
  }

  return id_hash =>
    new Promise((resolve, reject) => {
      pending.push({ id_hash, resolve, reject })
      if (!reading) {
        reading = true
        setImmediate(() => {
          void read()
        })
      }
    })
}
