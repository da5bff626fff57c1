import { createHash } from 'node:crypto'
import type { Kernel } from '../../kernel/call.js'
import type { Caller } from '../../kernel/caller.js'
import { mcpTopic } from '../../kernel/events.js'
import * as mcpSessions from '../../agents/store/mcp-sessions.js'
import type { HeldSession } from '../../agents/store/mcp-sessions.js'
import type { Message } from '../credentials.js'
import type { LookUp } from './held-sessions.js'

/** One request that may be cancelled while it is worked on. */
export interface Cancellable {
  /** Aborted when the client cancels the request or goes away. */
  signal: AbortSignal | undefined
  cancelled: () => boolean
  end: () => void
}

/**
 * Handles `notifications/cancelled` of 2025-era clients. It is a separate request, which may reach another replica than
 * the call it cancels. So it is stored in the session's row, where the replica with the call finds it. Only calls that
 * wait can be cancelled.
 */
export function createCancellations(lookUp: LookUp, { service, store, catalogue, log }: Kernel) {
  const { db } = store
  const pending = new Map<string, () => void>()

  async function checkCancellation(session: HeldSession, key: string, abort: () => void): Promise<void> {
    try {
      const row = await lookUp(session.id_hash)
      // What was there when the call began was about an earlier call of a client that counts from one again.
      if (row?.cancelled[key] !== undefined && row.cancelled[key] !== session.cancelled[key]) abort()
    } catch (error) {
      log.info({ err: store.loggable(error) }, 'cancellations not read')
    }
  }

  return {
    begin(message: Message, caller: Caller): Cancellable {
      const session = caller.credentials.mcp_session as HeldSession | undefined
      const tool =
        message.method === 'tools/call' && typeof message.params?.name === 'string'
          ? catalogue.find(message.params.name)?.tool
          : undefined
      if (session === undefined || tool?.waits_ms === undefined)
        return { signal: caller.signal, cancelled: () => false, end() {} }
      const aborter = new AbortController()
      let cancelled = false
      const abort = () => {
        cancelled = true
        aborter.abort()
      }
      const key = keyOf(message.id)
      const name = `${session.id_hash.toString('hex')} ${key}`
      pending.set(name, abort)
      const unsubscribe = service.events.subscribe(mcpTopic(session.id_hash), () => {
        void checkCancellation(session, key, abort)
      })
      return {
        signal: caller.signal === undefined ? aborter.signal : AbortSignal.any([caller.signal, aborter.signal]),
        cancelled: () => cancelled,
        end() {
          unsubscribe()
          if (pending.get(name) === abort) pending.delete(name)
        }
      }
    },
    async cancel(id_hash: Buffer, request: unknown): Promise<void> {
      if (typeof request !== 'string' && typeof request !== 'number') return
      const key = keyOf(request)
      const abort = pending.get(`${id_hash.toString('hex')} ${key}`)
      if (abort !== undefined) {
        abort()
        return
      }
      await mcpSessions.cancel(db, id_hash, key)
      service.events.publish([mcpTopic(id_hash)])
    }
  }
}

/** A request's id, which a client may choose as long as it likes. */
function keyOf(id: unknown): string {
  return createHash('sha256').update(JSON.stringify(id)).digest('base64url').slice(0, 22)
}
