import type { AuditRow } from '../../kernel/receipt.js'

/**
 * Rows a minute for one event and action from one address and agent. Further refusals are only counted, and their
 * number is written once a minute.
 */
const PER_MINUTE = 10
const MINUTE_MS = 60_000
/**
 * Most groups counted separately. All further refusals share one row a minute, so that a flood fills neither memory nor
 * table. An agent_id without valid credentials forms no group, since anyone can claim a thousand of them.
 */
const GROUPS_MAX = 1000

export interface Refusals {
  add: (row: AuditRow, address: string) => void
  /** Writes the counts so far and stops. */
  close: () => Promise<void>
}

/**
 * Collects audit rows of refused credentials and permissions. They are written in the background, so that they never
 * delay a request. While the database is down, they are only logged.
 */
export function collectRefusals(
  write: (row: AuditRow) => Promise<void>,
  onFault: (error: unknown, row: AuditRow) => void
): Refusals {
  let groups = new Map<string, { row: AuditRow; address: string; count: number }>()
  const pending = new Set<Promise<void>>()

  function save(row: AuditRow): void {
    const writing = write(row)
      .catch((error: unknown) => {
        onFault(error, row)
      })
      .finally(() => pending.delete(writing))
    pending.add(writing)
  }

  function writeCounts(): void {
    for (const { row, address, count } of groups.values()) {
      const unwritten = count - PER_MINUTE
      if (unwritten > 0) save({ ...row, metadata: { ...row.metadata, address, further_in_this_minute: unwritten } })
    }
    groups = new Map()
  }

  const timer = setInterval(writeCounts, MINUTE_MS)
  timer.unref()

  return {
    add(row, address) {
      const key = JSON.stringify([row.event_type, row.action, address, row.agent_id])
      const group = groups.get(key) ?? (groups.size < GROUPS_MAX ? undefined : groups.get('rest'))
      if (group !== undefined) {
        group.count++
        if (group.count > PER_MINUTE) return
      } else if (groups.size < GROUPS_MAX) {
        groups.set(key, { row, address, count: 1 })
      } else {
        groups.set('rest', {
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
      writeCounts()
      await Promise.all(pending)
    }
  }
}
