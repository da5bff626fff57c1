import type { AuditRow } from '../../kernel/receipt.js'

/**
 * Rows a minute for refusals of one kind from one address and agent; what is beyond is counted and told once a minute.
 */
const PER_MINUTE = 10
const MINUTE_MS = 60_000
/**
 * Kinds told apart at a time; beyond, the rest share one row a minute, so that a flood cannot fill memory or table. A
 * name that was merely claimed makes no kind of its own: anybody can claim a thousand.
 */
const KINDS_MAX = 1000

export interface Refusals {
  add: (row: AuditRow, address: string) => void
  /** Writes what has been counted so far and stops. */
  close: () => Promise<void>
}

/**
 * Audit rows of refused credentials and permissions. Written beside the request, never in its way: while the database
 * is down they are only logged.
 */
export function collectRefusals(
  write: (row: AuditRow) => Promise<void>,
  onFault: (error: unknown, row: AuditRow) => void
): Refusals {
  let minute = new Map<string, { row: AuditRow; address: string; count: number }>()
  const underway = new Set<Promise<void>>()

  function save(row: AuditRow): void {
    const writing = write(row)
      .catch((error: unknown) => {
        onFault(error, row)
      })
      .finally(() => underway.delete(writing))
    underway.add(writing)
  }

  function tellRest(): void {
    for (const { row, address, count } of minute.values()) {
      const more = count - PER_MINUTE
      if (more > 0) save({ ...row, metadata: { ...row.metadata, address, further_in_this_minute: more } })
    }
    minute = new Map()
  }

  const timer = setInterval(tellRest, MINUTE_MS)
  timer.unref()

  return {
    add(row, address) {
      const kind = JSON.stringify([row.event_type, row.action, address, row.agent_id])
      const known = minute.get(kind) ?? (minute.size < KINDS_MAX ? undefined : minute.get('rest'))
      if (known !== undefined) {
        known.count++
        if (known.count > PER_MINUTE) return
      } else if (minute.size < KINDS_MAX) {
        minute.set(kind, { row, address, count: 1 })
      } else {
        minute.set('rest', {
          row: { ...row, agent_id: null, metadata: { many: true } },
          address: 'many',
          count: PER_MINUTE + 1
        })
        return
      }
      save({ ...row, metadata: { ...row.metadata, address } })
    },
    async close() {
      clearInterval(timer)
      tellRest()
      await Promise.all(underway)
    }
  }
}
