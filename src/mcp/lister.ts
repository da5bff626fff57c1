import type { Agent } from '../kernel/agent.js'
import { auditRefusal, explain, type Kernel } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { type AppError } from '../kernel/errors.js'
import { throttleFailedAuth } from '../agents/failed-auth-throttle.js'
import { identify } from '../agents/identify.js'

/**
 * Who asks for a list that everybody may have, and that depends on who asks. A wrong key is audited and slowed down as
 * at a call: without that, whoever tries keys could learn from the list which of them is right.
 * @returns null where there are no credentials, and the error where they are refused or cannot be checked
 * @throws AppError RATE_LIMITED where the address has had too many refused
 */
export async function listerOf(method: string, caller: Caller, kernel: Kernel): Promise<Agent | AppError | null> {
  try {
    return await identify(caller, kernel.service)
  } catch (thrown) {
    const error = explain(thrown, caller, kernel)
    auditRefusal(error, method, null, caller, kernel)
    const told = await throttleFailedAuth(error, caller, kernel.service)
    if (told.code === 'RATE_LIMITED') throw told
    return told
  }
}
