import { write } from '../audit/store/rows.js'
import { type Agent } from '../kernel/agent.js'
import { auditRow } from '../kernel/audit-row.js'
import { mayCall } from '../kernel/authorize.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import type { Db } from '../postgres/schema.js'
import { transact } from '../postgres/scope.js'
import { memoryResource, type Named, whereToWrite } from './memory-scope.js'
import { type MemoryKey, renew } from './store/memory-reader.js'

/**
 * Renews the time that values are kept, for a tool that reads them.
 * @returns the new ends of those that end by themselves
 * @throws AppError PERMISSION_DENIED unless the agent may write there
 */
export async function touch(
  db: Db,
  agent: Agent,
  caller: Caller,
  named: Named,
  tool: string,
  keys: readonly MemoryKey[]
): ReturnType<typeof renew> {
  if (!mayCall(agent, 'write'))
    throw new AppError('PERMISSION_DENIED', "To renew the time that values are kept needs the permission 'write'.", {
      context: { argument: 'touch', required_permission: 'write', current_permissions: agent.permissions },
      suggestions: ['Leave touch out to read alone']
    })
  await whereToWrite(db, agent, named)
  return transact(db, async tx => {
    const renewed = await renew(tx, agent.workspace, keys)
    if (renewed.length === 0) return renewed
    const fields = {
      event_type: 'memory_renewed',
      ...(named.session_id !== undefined && { session_id: named.session_id }),
      ...(keys.length === 1 && { resource: memoryResource(keys[0]?.key ?? '') }),
      metadata: { count: renewed.length, ...(named.namespace !== undefined && { namespace: named.namespace }) }
    }
    await write(tx, auditRow(fields, tool, agent, caller))
    return renewed
  })
}
