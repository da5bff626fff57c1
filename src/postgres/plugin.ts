import fp from 'fastify-plugin'
import { addCounter, addGauge } from '../kernel/metrics.js'
import type { Database, PoolState } from './connect.js'
import { createFaultLog, type LogFault } from './fault-log.js'
import { explainFault, loggableFault } from './faults.js'
import * as idempotency from './idempotency.js'
import { enterWorkspace, inWorkspace, transact } from './scope.js'

declare module 'fastify' {
  interface FastifyInstance {
    database: Database
    poolState: () => PoolState
    /** Logs a fault of work in the background: one that goes on, once. */
    logFault: LogFault
  }
}

/** Gives calls their database. Whoever opened it closes it. */
export const postgresPlugin = fp(
  async (app, { database }: { database: Database }) => {
    const { db, pool, lastFault } = database
    const { metrics } = app
    app.decorate('database', database)
    app.decorate('poolState', () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      max: pool.options.max
    }))
    const noteFault = addCounter(
      metrics,
      'database_faults_total',
      'Faults of the database that calls and background work have met on this replica.'
    )
    const faults = createFaultLog(app.log, noteFault)
    app.decorate('logFault', faults.background)
    app.addHook('onClose', async () => {
      faults.close()
    })
    app.kernel.provide({
      executorFor: workspace => inWorkspace(db, workspace),
      transaction: (workspace, work) => transact(inWorkspace(db, workspace), work),
      enterWorkspace: (tx, workspace) => enterWorkspace(tx, workspace),
      claimIdempotencyKey: (tx, key) => idempotency.claim(tx, key),
      storeFirstAnswer: (tx, key, answer) => idempotency.settle(tx, key, answer),
      explainFault,
      loggableFault,
      logFault: faults.call
    })
    addGauge(
      metrics,
      'database_up',
      'Whether the last connection of this replica to the database was usable: 1 or 0.',
      () => Number(lastFault() === undefined)
    )
    const { poolState } = app
    for (const [name, help, count] of [
      ['connections', 'Open database connections of this replica.', 'total'],
      ['idle', 'Database connections of this replica that are free.', 'idle'],
      ['waiting', 'Calls of this replica that wait for a database connection.', 'waiting'],
      ['max', 'Most database connections of this replica.', 'max']
    ] as const)
      addGauge(metrics, `database_pool_${name}`, help, () => poolState()[count])
  },
  { name: 'postgres', dependencies: ['kernel'] }
)
