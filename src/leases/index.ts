import fp from 'fastify-plugin'
import { leasesTopic } from '../kernel/events.js'
import { createWakeUps } from '../feed/wait-until.js'
import { inWorkspace, transact } from '../postgres/scope.js'
import { createLeaseDesk } from './lease-desk.js'
import { release } from './store/leases.js'
import { acquireLease } from './tools/acquire-lease.js'
import { listLeases } from './tools/list-leases.js'
import { releaseLease } from './tools/release-lease.js'
import { renewLease } from './tools/renew-lease.js'

/** Leases on any name: who holds it, nobody else does. */
export const leasesPlugin = fp(
  async app => {
    const { db } = app.database
    app.addTool(
      acquireLease({
        desk: createLeaseDesk(db),
        // Each who waits looks for its own names, all by one statement.
        wakeUps: createWakeUps({ ...app.following, topic: leasesTopic, look: async () => true }),
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
  },
  { name: 'leases', dependencies: ['kernel', 'postgres', 'feed'] }
)
