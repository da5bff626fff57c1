import fp from 'fastify-plugin'
import type { Background } from '../postgres/background.js'
import { acrossWorkspaces } from '../postgres/scope.js'
import { sweepRegularly } from './sweep.js'
import { deleteSession } from './tools/delete-session.js'
import { eraseAgent } from './tools/erase-agent.js'
import { getRetention } from './tools/get-retention.js'
import { setRetention } from './tools/set-retention.js'
import { endContinuously } from './worker.js'

export interface LifecycleOptions {
  retention_days: number
  audit_retention_days: number
}

/** How data ends: deletion, erasure, retention, sweeps. */
export const lifecyclePlugin = fp(
  async (app, { retention_days, audit_retention_days }: LifecycleOptions) => {
    const db = acrossWorkspaces(app.database.db)
    const { auditKeys } = app
    const defaults = { retention_days, audit_retention_days, audit_keys: auditKeys }
    app.addTool(deleteSession)
    app.addTool(eraseAgent)
    app.addTool(getRetention(defaults))
    app.addTool(setRetention(defaults))

    let background: Background[] = []
    app.addHook('onReady', async () => {
      background = [
        sweepRegularly(db, error => {
          app.logFault(error, 'sweep failed')
        }),
        endContinuously({
          db,
          retention_days,
          audit: auditKeys && { keys: auditKeys, days: audit_retention_days },
          publish: app.events.publish,
          onFault: error => {
            app.logFault(error, 'deleted data not swept')
          }
        })
      ]
    })
    app.addHook('onClose', () => Promise.all(background.map(each => each.close())))
  },
  { name: 'lifecycle', dependencies: ['kernel', 'postgres', 'audit', 'feed'] }
)
