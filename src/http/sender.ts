import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { grantOf, keyIn } from '../agents/identify.js'
import { refuse } from '../kernel/authorize.js'
import { observeRefusal } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import type { Tool } from '../kernel/tool.js'
import { callerOf } from './caller.js'
import { intakeOf } from './connection/intake.js'
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
  isAuthenticated: boolean
  /**
   * How to refuse a body that only good credentials allow, if the credentials are bad. The refusal is audited, counted
   * and throttled, since it tells that the credentials are bad.
   */
  refusal?: () => Promise<AppError>
}

/** The onRequest hook of a tool's REST route. It refuses a bad credential before the body is read. */
export function admitToTool({ name, credentials }: Tool, app: FastifyInstance) {
  return async function admit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const caller = callerOf(request, 'rest')
    if (credentials === 'own') {
      request.sender = await judge(caller, name, app, () => provesKey(caller, app))
      return undefined
    }
    try {
      const agent = await app.identify(caller)
      caller.identified = { agent, at: performance.now() }
      request.sender = { caller, isAuthenticated: agent !== null }
      if (agent !== null) intakeOf(request.raw.socket)?.trust()
      return undefined
    } catch (thrown) {
      return sendFailure(reply, await refuseEarly(thrown, name, caller, app))
    }
  }
}

/**
 * Judges a sender whose bad credentials the call itself refuses, later and in its own way.
 * @param action what the audit log names
 * @param prove whether the credentials are good; throws AppError if they are bad
 */
export async function judge(
  caller: Caller,
  action: string,
  app: FastifyInstance,
  prove: () => Promise<boolean>
): Promise<Sender> {
  if (!app.verifiers.auth_enabled) return { caller, isAuthenticated: true }
  try {
    return { caller, isAuthenticated: await prove() }
  } catch (thrown) {
    // If the database cannot tell, nobody is known, and nobody has guessed.
    if (!(thrown instanceof AppError) || thrown.status !== 401) return { caller, isAuthenticated: false }
    return { caller, isAuthenticated: false, refusal: () => refuseEarly(thrown, action, caller, app) }
  }
}

/** @throws AppError INVALID_API_KEY */
async function provesKey({ credentials }: Caller, app: FastifyInstance): Promise<boolean> {
  const key = keyIn(credentials)
  return key !== undefined && (await grantOf(key, app.verifiers)) !== undefined
}

/** Refuses a credential before the body is read; audited, counted and throttled like the refusal of a call. */
async function refuseEarly(thrown: unknown, action: string, caller: Caller, app: FastifyInstance): Promise<AppError> {
  const error = await refuse(thrown, action, null, caller, app.kernel)
  observeRefusal(action, error, caller, app.kernel)
  return error
}
