import { sql } from 'kysely'
import { type AuditKeys, isHeadGenuine, isSame, type SignedHead } from './keys.js'
import type { Db } from '../../postgres/schema.js'
import { beginningOf, tailsOf } from './heads.js'
import { type AuditFault, keptHeadMismatch, truncated } from './faults.js'

/**
 * Compares the chains with heads that were stored outside the database. This detects a tail that was removed together
 * with its heads.
 */
export interface KeptHeads {
  /** Compares more heads. */
  add: (heads: readonly SignedHead[]) => Promise<void>
  /** The result so far for a workspace. */
  resultOf: (workspace: string) => { matching: number; fault: AuditFault | null }
  workspaces: () => string[]
  /** How many heads have no valid signature of a known key. */
  invalidCount: () => number
}

export function compareKeptHeads(db: Db, keys: AuditKeys): KeptHeads {
  const results = new Map<string, { matching: number; last_matching: number; fault: AuditFault | null }>()
  let invalidCount = 0

  async function compare(workspace: string, heads: readonly SignedHead[]): Promise<void> {
    const result = results.get(workspace) ?? { matching: 0, last_matching: 0, fault: null }
    results.set(workspace, result)
    const { rows } = await sql<{ seq: number; mac: Buffer }>`
      select seq, mac from audit_chain where workspace = ${workspace}
        and seq = any(${heads.map(({ seq }) => seq)}::bigint[])`.execute(db)
    const macs = new Map(rows.map(({ seq, mac }) => [seq, mac]))
    // Read the beginning after the macs, so that rows which retention drops in between lie before it.
    const beginning = await beginningOf(db, workspace)
    if (beginning !== undefined) macs.set(beginning.seq, beginning.mac)
    const [tail] = await tailsOf(db, [workspace])
    for (const head of heads) {
      if (beginning !== undefined && head.seq < beginning.seq) continue
      const mac = macs.get(head.seq)
      if (mac !== undefined && isSame(mac, head.mac)) {
        result.matching++
        result.last_matching = Math.max(result.last_matching, head.seq)
      } else if (result.fault === null || head.seq < (result.fault.seq ?? Infinity)) {
        result.fault =
          mac === undefined && head.seq > (tail?.seq ?? 0)
            ? truncated(tail?.seq ?? 0, head, true)
            : keptHeadMismatch(head, result.last_matching + 1, mac !== undefined)
      }
    }
  }

  return {
    async add(heads) {
      const by_workspace = new Map<string, SignedHead[]>()
      for (const head of heads) {
        if (isHeadGenuine(keys, head))
          by_workspace.set(head.workspace, [...(by_workspace.get(head.workspace) ?? []), head])
        else invalidCount++
      }
      for (const [workspace, list] of by_workspace)
        await compare(
          workspace,
          list.sort((a, b) => a.seq - b.seq)
        )
    },
    resultOf: workspace => results.get(workspace) ?? { matching: 0, fault: null },
    workspaces: () => [...results.keys()],
    invalidCount: () => invalidCount
  }
}
