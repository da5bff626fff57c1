import type { Log } from '../kernel/call.js'
import type { Store } from '../kernel/store.js'
import * as audit from './store/rows.js'
import { explainFault, loggableFault } from '../postgres/faults.js'
import * as idempotency from '../postgres/idempotency.js'
import { trackPresence } from '../agents/store/presence.js'
import { collectRefusals } from './store/refusals.js'
import { acrossWorkspaces, enterWorkspace, inWorkspace, transact, type Unscoped } from '../postgres/scope.js'

/** Implements the database operations that the kernel needs around a call. */
export function createStore(db: Unscoped, log: Log): Store & { close: () => Promise<void> } {
  const presence = trackPresence(acrossWorkspaces(db))
  const refusals = collectRefusals(
    row => audit.write(inWorkspace(db, row.workspace), row),
    (error, row) => {
      log.warn(
        {
          request_id: row.request_id,
          event_type: row.event_type,
          action: row.action,
          agent_id: row.agent_id,
          err: loggableFault(error)
        },
        'refusal not audited'
      )
    }
  )
  return {
    db,
    enter: enterWorkspace,
    in: workspace => inWorkspace(db, workspace),
    transaction: (workspace, work) => transact(inWorkspace(db, workspace), work),
    audit: audit.write,
    auditRefusal: refusals.add,
    claim: idempotency.claim,
    settle: idempotency.settle,
    seen: presence.seen,
    explain: explainFault,
    loggable: loggableFault,
    async close() {
      await Promise.all([presence.close(), refusals.close()])
    }
  }
}
