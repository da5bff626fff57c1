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

/** What the headers of a request say of who sends its body, found out before any of the body is read. */
export interface Sender {
  caller: Caller
  /** Whether the credentials in the headers are good. */
  good: boolean
  /**
   * Where they are bad: what a body is refused with that only good ones allow. It is audited, counted and slowed down,
   * since such a refusal tells that the credentials are bad.
   */
  refusal?: () => Promise<AppError>
}

/** The onRequest hook of a tool's REST route. It refuses a bad credential, before the body is read. */
export function admitToTool({ name, credentials }: Tool, kernel: Kernel) {
  return async function admit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const caller = callerOf(request, 'rest')
    if (credentials === 'own') {
      request.sender = await judge(caller, name, kernel, () => provesKey(caller, kernel))
      return undefined
    }
    const refused = await identifyFirst(name, caller, kernel)
    if (refused !== undefined) return sendFailure(reply, refused)
    request.sender = { caller, good: (caller.identified?.agent ?? null) !== null }
    return undefined
  }
}

/**
 * Judges a sender whose bad credentials the call itself refuses, later and in its own way.
 * @param action what the audit names
 * @param prove whether the credentials are good; throws AppError where they are bad
 */
export async function judge(
  caller: Caller,
  action: string,
  kernel: Kernel,
  prove: () => Promise<boolean>
): Promise<Sender> {
  if (!kernel.service.auth_enabled) return { caller, good: true }
  try {
    return { caller, good: await prove() }
  } catch (thrown) {
    // Where the database cannot tell, nobody is known, and nobody has guessed.
    if (!(thrown instanceof AppError) || thrown.status !== 401) return { caller, good: false }
    return { caller, good: false, refusal: () => refuseFirst(thrown, action, caller, kernel) }
  }
}

/** @throws AppError INVALID_API_KEY */
export async function provesKey({ credentials: { api_key } }: Caller, { service }: Kernel): Promise<boolean> {
  return api_key !== undefined && (await grantOf(api_key, service)) !== undefined
}
