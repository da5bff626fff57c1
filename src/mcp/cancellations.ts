import type { FastifyInstance } from 'fastify'
import { createHash } from 'node:crypto'
import { anySignal, type Caller } from '../kernel/caller.js'
import { mcpTopic } from '../kernel/events.js'
import * as sessionState from '../agents/store/mcp-session-state.js'
import type { HeldSession, LookUp } from '../agents/store/mcp-sessions.js'

/** A call that waits, and that its client may cancel. */
export interface Cancellable {
  /** Makes the signal that is aborted when the client cancels the call or goes away. */
  disconnected: Caller['disconnected']
  cancelled: () => boolean
  end: () => void
}

/**
 * `notifications/cancelled` of 2025-era clients is a request of its own, which may come to another replica than the
 * call it is about. It is noted in the session's row, where the replica that waits finds it.
 */
export function createCancellations(lookUp: LookUp, app: FastifyInstance) {
  const { kernel, log } = app
  const waiting = new Map<string, () => void>()

  async function look(session: HeldSession, key: string, abort: () => void): Promise<void> {
    try {
      const row = await lookUp(session.id_hash)
      // What was there when the call began was about an earlier call of a client that counts from one again.
      if (row?.cancelled[key] !== undefined && row.cancelled[key] !== session.cancelled[key]) abort()
    } catch (error) {
      log.info({ err: kernel.ports.loggableFault(error) }, 'cancellations not read')
    }
  }

  return {
    begin(id: unknown, session: HeldSession, caller: Caller): Cancellable {
      const aborter = new AbortController()
      const abort = () => {
        aborter.abort()
      }
      const key = keyOf(id)
      const name = `${session.id_hash.toString('hex')} ${key}`
      waiting.set(name, abort)
      const unsubscribe = app.events.subscribe(mcpTopic(session.id_hash), () => {
        void look(session, key, abort)
      })
      return {
        disconnected: () => anySignal(caller.disconnected?.(), aborter.signal),
        cancelled: () => aborter.signal.aborted,
        end() {
          unsubscribe()
          if (waiting.get(name) === abort) waiting.delete(name)
        }
      }
    },
    async cancel(id_hash: Buffer, request: unknown): Promise<void> {
      if (typeof request !== 'string' && typeof request !== 'number') return
      const key = keyOf(request)
      const abort = waiting.get(`${id_hash.toString('hex')} ${key}`)
      if (abort !== undefined) {
        abort()
        return
      }
      await sessionState.cancel(app.database.db, id_hash, key)
      app.events.publish([mcpTopic(id_hash)])
    }
  }
}

/** A short name for a request's id, which a client may choose as long as it likes. */
function keyOf(id: unknown): string {
  return createHash('sha256').update(JSON.stringify(id)).digest('base64url').slice(0, 22)
}
