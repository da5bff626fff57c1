import type { Unscoped } from '../../postgres/scope.js'
import * as mcpSessions from '../../agents/store/mcp-sessions.js'
import type { HeldSession } from '../../agents/store/mcp-sessions.js'

/** Reads the row of an MCP session again; undefined where it has ended. */
export type LookUp = (id_hash: Buffer) => Promise<HeldSession | undefined>

const ROWS_MAX = 500

/**
 * Rows that are asked for at the same time are read by one statement, one statement at a time: after a gap in hearing
 * every stream looks, and thousands of statements would keep calls from the pool.
 */
export function lookUpTogether(db: Unscoped): LookUp {
  interface Asked {
    id_hash: Buffer
    resolve: (session: HeldSession | undefined) => void
    reject: (error: unknown) => void
  }
  let waiting: Asked[] = []
  let reading = false

  async function read(): Promise<void> {
    reading = true
    while (waiting.length > 0) {
      const now = waiting.slice(0, ROWS_MAX)
      waiting = waiting.slice(ROWS_MAX)
      try {
        const found = new Map(
          (
            await mcpSessions.findAll(
              db,
              now.map(({ id_hash }) => id_hash)
            )
          ).map(session => [session.id_hash.toString('hex'), session])
        )
        for (const { id_hash, resolve } of now) resolve(found.get(id_hash.toString('hex')))
      } catch (error) {
        for (const { reject } of now) reject(error)
      }
    }
    reading = false
  }

  return id_hash =>
    new Promise((resolve, reject) => {
      waiting.push({ id_hash, resolve, reject })
      if (!reading) {
        reading = true
        setImmediate(() => {
          void read()
        })
      }
    })
}
