import type { FastifyRequest } from 'fastify'
import type { Kernel } from '../kernel/call.js'
import { bearer, byMcpSession, byToken } from '../agents/identify.js'
import * as mcpSessions from '../agents/store/mcp-sessions.js'
import type { HeldSession } from '../agents/store/mcp-sessions.js'
import { callerOf } from '../http/caller.js'
import { checkSender, provesKey } from '../http/sender.js'
import { NO_TOOL } from './credentials.js'
import { sessionIdOf } from './legacy/sessions.js'

export interface Senders {
  /** The onRequest hook: checks who sends the body. It refuses nobody; the response to the message does that. */
  admit: (request: FastifyRequest) => Promise<void>
  /** The row of an Mcp-Session-Id; undefined where there is none. */
  sessionOf: (request: FastifyRequest, id: string) => Promise<HeldSession | undefined>
}

/** Milliseconds for which the session row that the hook has read is reused. */
const ROW_CACHE_MS = 100
/** The sender of a body up to this size is not checked in advance; most messages are shorter. */
const UNCHECKED_MAX_BYTES = 4096

export function createSenders(kernel: Kernel): Senders {
  const { service } = kernel
  const find = mcpSessions.findTogether(kernel.store.db)
  const rows = new WeakMap<FastifyRequest, { row: HeldSession | undefined; at: number }>()

  return {
    async admit(request) {
      const caller = callerOf(request, 'mcp')
      // A short body needs hardly any memory, so its call identifies the sender later.
      if (Number(request.headers['content-length'] ?? Infinity) <= UNCHECKED_MAX_BYTES) {
        request.sender = { caller, isAuthenticated: false }
        return
      }
      const { authorization } = caller.credentials
      request.sender = await checkSender(caller, NO_TOOL, kernel, async () => {
        if (authorization !== undefined) {
          caller.identified = { agent: await byToken(bearer(authorization), service), at: performance.now() }
          return true
        }
        const id = sessionIdOf(request)
        const row = id === undefined ? undefined : await find(id)
        if (id !== undefined) rows.set(request, { row, at: performance.now() })
        if (row?.identity) return (await byMcpSession(row.identity, service)) !== null
        return provesKey(caller, kernel)
      })
    },
    async sessionOf(request, id) {
      const read = rows.get(request)
      return read !== undefined && performance.now() - read.at < ROW_CACHE_MS ? read.row : find(id)
    }
  }
}
