import type { FastifyInstance } from 'fastify'
import type { Agent } from '../kernel/agent.js'
import { refuse } from '../kernel/authorize.js'
import type { Caller } from '../kernel/caller.js'
import { type AppError } from '../kernel/errors.js'
import { identify } from '../agents/identify.js'

/**
 * Who asks for a list that everybody may have, and that depends on who asks. A wrong key is audited and slowed down as
 * at a call: without that, whoever tries keys could learn from the list which of them is right.
 * @returns null where there are no credentials, and the error where they are refused or cannot be checked
 * @throws AppError RATE_LIMITED where the address has had too many refused
 */
export async function listerOf(method: string, caller: Caller, app: FastifyInstance): Promise<Agent | AppError | null> {
  try {
    return await identify(caller, app.verifiers)
  } catch (thrown) {
    const told = await refuse(thrown, method, null, caller, app.kernel)
    if (told.code === 'RATE_LIMITED') throw told
    return told
  }
}
