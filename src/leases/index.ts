import fp from 'fastify-plugin'
import { leasesTopic } from '../kernel/events.js'
import { addGauge } from '../kernel/metrics.js'
import { createWakeUps } from '../feed/wake-ups.js'
import { acrossWorkspaces, inWorkspace, transact } from '../postgres/scope.js'
import { createLeaseDesk } from './lease-desk.js'
import { countHeld, release } from './store/leases.js'
import { acquireLease } from './tools/acquire-lease.js'
import { listLeases } from './tools/list-leases.js'
import { releaseLease } from './tools/release-lease.js'
import { renewLease } from './tools/renew-lease.js'

/** Names that are held are counted up to here. */
const HELD_COUNTED_MAX = 100_000

/** Leases on any name: who holds it, nobody else does. */
export const leasesPlugin = fp(
  async app => {
    const { db } = app.database
    app.addTool(
      acquireLease({
        desk: createLeaseDesk(db),
        // Each who waits looks for its own names, all by one statement.
        wakeUps: createWakeUps({ ...app.following, topicsOf: ({ workspace }) => [leasesTopic(workspace)] }),
        waiters: app.waiters,
        stopping: app.stopping,
        async giveBack(agent, leases) {
          await transact(inWorkspace(db, agent.workspace), tx => release(tx, agent, leases))
          app.events.publish([leasesTopic(agent.workspace)])
        }
      })
    )
    app.addTool(renewLease)
    app.addTool(releaseLease)
    app.addTool(listLeases)
    addGauge(
      app.metrics,
      'leases_held',
      `Names that somebody holds, in the whole service; counted up to ${HELD_COUNTED_MAX}.`,
      () => countHeld(acrossWorkspaces(app.database.watch), HELD_COUNTED_MAX)
    )
  },
  { name: 'leases', dependencies: ['kernel', 'postgres', 'feed'] }
)
