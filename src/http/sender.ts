import type { FastifyReply, FastifyRequest } from 'fastify'
import { identifyFirst, type Kernel, refuseFirst } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { grantOf } from '../agents/identify.js'
import type { Tool } from '../kernel/tool.js'
import { callerOf } from './caller.js'
import { sendFailure } from './failures.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the body; null on routes that take no credentials. */
    sender: Sender | null
  }
}

/** The sender of a request body, determined from the headers before any of the body is read. */
export interface Sender {
  caller: Caller
  /** Whether the credentials in the headers are valid. */
  isAuthenticated: boolean
  /**
   * For invalid credentials: creates the error for a body that only valid ones allow. Because the error reveals that
   * the credentials are invalid, it is audited, counted and delayed.
   */
  refusal?: () => Promise<AppError>
}

/** The onRequest hook of a tool's REST route. It refuses invalid credentials before the body is read. */
export function admitToTool({ name, credentials }: Tool, kernel: Kernel) {
  return async function admit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const caller = callerOf(request, 'rest')
    if (credentials === 'own') {
      request.sender = await checkSender(caller, name, kernel, () => provesKey(caller, kernel))
      return undefined
    }
    const refused = await identifyFirst(name, caller, kernel)
    if (refused !== undefined) return sendFailure(reply, refused)
    request.sender = { caller, isAuthenticated: (caller.identified?.agent ?? null) !== null }
    return undefined
  }
}

/**
 * Checks a sender without refusing it: the call itself refuses invalid credentials later, in its own way.
 * @param action what the audit names
 * @param authenticate whether the credentials are good; throws AppError where they are bad
 */
export async function checkSender(
  caller: Caller,
  action: string,
  kernel: Kernel,
  authenticate: () => Promise<boolean>
): Promise<Sender> {
  if (!kernel.service.auth_enabled) return { caller, isAuthenticated: true }
  try {
    return { caller, isAuthenticated: await authenticate() }
  } catch (thrown) {
    // If the database cannot be asked, treat the sender as unknown, but not as one that tries keys.
    if (!(thrown instanceof AppError) || thrown.status !== 401) return { caller, isAuthenticated: false }
    return { caller, isAuthenticated: false, refusal: () => refuseFirst(thrown, action, caller, kernel) }
  }
}

/** @throws AppError INVALID_API_KEY */
export async function provesKey({ credentials: { api_key } }: Caller, { service }: Kernel): Promise<boolean> {
  return api_key !== undefined && (await grantOf(api_key, service)) !== undefined
}
