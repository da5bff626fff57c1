import { sql } from 'kysely'
import { type AuditKeys, isHeadGenuine, isSame, type SignedHead } from './keys.js'
import type { Db } from '../../postgres/schema.js'
import { beginningOf, tailsOf } from './heads.js'
import type { AuditFault } from './verify.js'

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
            ? truncated((tail?.seq ?? 0) + 1, head)
            : {
                kind: mac === undefined ? 'missing' : 'head',
                seq: head.seq,
                audit_id: null,
                explanation:
                  `A kept head, signed at ${head.signed_at}, does not match the chain at seq ${head.seq}: ` +
                  `rows from seq ${result.last_matching + 1} to ${head.seq} were replaced or removed.`
              }
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

function truncated(seq: number, head: SignedHead): AuditFault {
  return {
    kind: 'missing',
    seq,
    audit_id: null,
    explanation:
      `The chain ends at seq ${seq - 1}, though a kept head was signed for seq ${head.seq} at ${head.signed_at}: ` +
      `rows from seq ${seq} on were removed, together with their heads.`
  }
}
