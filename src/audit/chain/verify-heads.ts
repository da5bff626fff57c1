import { sql } from 'kysely'
import { type AuditKeys, isHeadGenuine, isSame, type SignedHead } from './keys.js'
import type { Db } from '../../postgres/schema.js'
import { beginningOf, tailsOf } from './heads.js'
import type { AuditFault } from './verify.js'

/** Compares heads that were kept elsewhere with the chains: what finds a tail that was cut together with its heads. */
export interface KeptHeads {
  /** Takes some more. */
  add: (heads: readonly SignedHead[]) => Promise<void>
  /** What was found of a workspace. */
  of: (workspace: string) => { fitting: number; fault: AuditFault | null }
  workspaces: () => string[]
  /** Heads that nobody with a key of ours has signed as they are. */
  not_genuine: () => number
}

export function compareKeptHeads(db: Db, keys: AuditKeys): KeptHeads {
  const found = new Map<string, { fitting: number; last_fitting: number; fault: AuditFault | null }>()
  let not_genuine = 0

  async function compare(workspace: string, heads: readonly SignedHead[]): Promise<void> {
    const known = found.get(workspace) ?? { fitting: 0, last_fitting: 0, fault: null }
    found.set(workspace, known)
    const { rows } = await sql<{ seq: number; mac: Buffer }>`
      select seq, mac from audit_chain where workspace = ${workspace} and seq = any(${heads.map(({ seq }) => seq)}::bigint[])`.execute(
      db
    )
    const macs = new Map(rows.map(({ seq, mac }) => [seq, mac]))
    // After the macs: what retention drops meanwhile then lies before the beginning.
    const beginning = await beginningOf(db, workspace)
    if (beginning !== undefined) macs.set(beginning.seq, beginning.mac)
    const [tail] = await tailsOf(db, [workspace])
    for (const head of heads) {
      if (beginning !== undefined && head.seq < beginning.seq) continue
      const mac = macs.get(head.seq)
      if (mac !== undefined && isSame(mac, head.mac)) {
        known.fitting++
        known.last_fitting = Math.max(known.last_fitting, head.seq)
      } else if (known.fault === null || head.seq < (known.fault.seq ?? Infinity)) {
        known.fault =
          mac === undefined && head.seq > (tail?.seq ?? 0)
            ? cut((tail?.seq ?? 0) + 1, head)
            : {
                kind: mac === undefined ? 'missing' : 'head',
                seq: head.seq,
                audit_id: null,
                explanation: `A kept head, signed at ${head.signed_at}, says that the chain was another one at seq ${head.seq}: rows from seq ${known.last_fitting + 1} to ${head.seq} were replaced or removed.`
              }
      }
    }
  }

  return {
    async add(heads) {
      const of = new Map<string, SignedHead[]>()
      for (const head of heads) {
        if (isHeadGenuine(keys, head)) of.set(head.workspace, [...(of.get(head.workspace) ?? []), head])
        else not_genuine++
      }
      for (const [workspace, list] of of)
        await compare(
          workspace,
          list.sort((a, b) => a.seq - b.seq)
        )
    },
    of: workspace => found.get(workspace) ?? { fitting: 0, fault: null },
    workspaces: () => [...found.keys()],
    not_genuine: () => not_genuine
  }
}

function cut(seq: number, head: SignedHead): AuditFault {
  return {
    kind: 'missing',
    seq,
    audit_id: null,
    explanation: `The chain ends at seq ${seq - 1}, though a kept head was signed for seq ${head.seq} at ${head.signed_at}: rows from seq ${seq} on were removed, together with their heads.`
  }
}
