import type { Agent } from '../kernel/agent.js'
import { auditRefusal, explain, type Kernel } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { type AppError } from '../kernel/errors.js'
import { throttleFailedAuth } from '../agents/failed-auth-throttle.js'
import { identify } from '../agents/identify.js'

/**
 * Identifies the caller of a list that is public but depends on the caller. A wrong key is audited and delayed as in a
 * call: otherwise an attacker could find out from the list which keys are correct.
 * @returns null if there are no credentials, or the error if they are refused or cannot be checked
 * @throws AppError RATE_LIMITED if the address has had too many refusals
 */
export async function listerOf(method: string, caller: Caller, kernel: Kernel): Promise<Agent | AppError | null> {
  try {
    return await identify(caller, kernel.service)
  } catch (thrown) {
    const error = explain(thrown, caller, kernel)
    auditRefusal(error, method, null, caller, kernel)
    const refusal = await throttleFailedAuth(error, caller, kernel.service)
    if (refusal.code === 'RATE_LIMITED') throw refusal
    return refusal
  }
}
