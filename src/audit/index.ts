import fp from 'fastify-plugin'
import { addGauge } from '../kernel/metrics.js'
import { loggableFault } from '../postgres/faults.js'
import { acrossWorkspaces, inWorkspace } from '../postgres/scope.js'
import { drainContinuously } from './chain/drainer.js'
import { keepHeads } from './chain/head-file.js'
import { type AuditKeys, auditKeys, headLine } from './chain/keys.js'
import { readLag } from './chain/lag.js'
import { collectRefusals } from './store/refusals.js'
import * as rows from './store/rows.js'
import { getAuditLog } from './tools/get-audit-log.js'
import { verifyAuditLog } from './tools/verify-audit-log.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined: the audit log is not chained. */
    auditKeys: AuditKeys | undefined
  }
}

export interface AuditOptions {
  audit_hmac_keys: string[] | undefined
  audit_head_file: string | undefined
}

/** The audit log and the chain that proves it. */
export const auditPlugin = fp(
  async (app, { audit_hmac_keys, audit_head_file }: AuditOptions) => {
    const { db, watch } = app.database
    const keys = audit_hmac_keys && auditKeys(audit_hmac_keys)
    const refusals = collectRefusals(
      row => rows.write(inWorkspace(db, row.workspace), row),
      (error, { request_id, event_type, action, agent_id }) => {
        const fields = { request_id, event_type, action, agent_id, err: loggableFault(error) }
        app.log.warn(fields, 'refusal not audited')
      }
    )
    app.decorate('auditKeys', keys)
    app.kernel.provide({
      writeAuditRow: (tx, row) => rows.write(tx, row),
      auditRefusal: refusals.add
    })
    app.addHook('onClose', () => refusals.close())
    if (keys === undefined) return

    const lag = readLag(acrossWorkspaces(watch))
    addGauge(
      app.metrics,
      'audit_chain_lag_rows',
      'Audit rows that have no place in the chain yet, in the whole service; of the newest 100000.',
      async () => (await lag()).rows
    )
    addGauge(
      app.metrics,
      'audit_chain_lag_seconds',
      'Age of the oldest of them, in seconds.',
      async () => (await lag()).seconds
    )
    let draining: ReturnType<typeof drainContinuously> | undefined
    app.addHook('onReady', async () => {
      draining = drainContinuously({
        db: acrossWorkspaces(db),
        keys,
        onHead: keepHeads(
          audit_head_file,
          head => {
            app.log.info({ audit_head: headLine(head) }, 'audit head')
          },
          error => {
            app.log.error({ err: loggableFault(error) }, 'audit head not kept in AUDIT_HEAD_FILE')
          }
        ),
        onFault: error => {
          app.logFault(error, 'audit log not chained')
        }
      })
    })
    app.addHook('onClose', () => draining?.close())
  },
  { name: 'audit', dependencies: ['kernel', 'postgres'] }
)

/** Reading and verifying the audit log: after the capabilities, whose tools clients see first. */
export const auditToolsPlugin = fp(
  async app => {
    app.addTool(getAuditLog)
    app.addTool(verifyAuditLog(app.auditKeys))
  },
  { name: 'audit-tools', dependencies: ['kernel', 'audit'] }
)
