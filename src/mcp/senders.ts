import type { FastifyRequest, FastifyInstance } from 'fastify'
import { bearer, byMcpSession, byToken } from '../agents/identify.js'
import * as mcpSessions from '../agents/store/mcp-sessions.js'
import type { HeldSession } from '../agents/store/mcp-sessions.js'
import { callerOf } from '../http/caller.js'
import { judge, provesKey } from '../http/sender.js'
import { NO_TOOL } from './credentials.js'
import { sessionIdOf } from './session-id.js'

export interface Senders {
  /** The onRequest hook: judges who sends the body. It refuses nobody, which is for the answer to the message. */
  admit: (request: FastifyRequest) => Promise<void>
  /** The row of an Mcp-Session-Id; undefined where there is none. */
  sessionOf: (request: FastifyRequest, id: string) => Promise<HeldSession | undefined>
}

/** Milliseconds for which the row that the hook has read is taken for what it is. */
const ROW_MS = 100
/** Of a body whose sender is not judged beforehand: most messages are shorter. */
const SHORT_BYTES = 4096

export function createSenders(app: FastifyInstance, lookUp: mcpSessions.LookUp): Senders {
  const { verifiers } = app
  const find = (id: string) => lookUp(mcpSessions.hashId(id))
  const rows = new WeakMap<FastifyRequest, { row: HeldSession | undefined; at: number }>()

  return {
    async admit(request) {
      const caller = callerOf(request, 'mcp')
      // So short a body takes next to no room, whoever sends it: its call finds out who that is.
      if (Number(request.headers['content-length'] ?? Infinity) <= SHORT_BYTES) {
        request.sender = { caller, isAuthenticated: false }
        return
      }
      const { authorization } = caller.credentials
      request.sender = await judge(caller, NO_TOOL, app, async () => {
        if (authorization !== undefined) {
          caller.identified = { agent: await byToken(bearer(authorization), verifiers), at: performance.now() }
          return true
        }
        const id = sessionIdOf(request)
        const row = id === undefined ? undefined : await find(id)
        if (id !== undefined) rows.set(request, { row, at: performance.now() })
        if (row?.identity) return (await byMcpSession(row.identity, verifiers)) !== null
        return provesKey(caller, app)
      })
    },
    async sessionOf(request, id) {
      const read = rows.get(request)
      return read !== undefined && performance.now() - read.at < ROW_MS ? read.row : find(id)
    }
  }
}
