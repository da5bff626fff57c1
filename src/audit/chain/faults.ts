import type { SignedHead } from './keys.js'

/** A difference between the audit log and its chain. */
export interface AuditFault {
  kind: 'altered' | 'missing' | 'reordered' | 'forged' | 'head' | 'beginning' | 'key'
  /** The position in the chain; null for a row that is not chained. */
  seq: number | null
  audit_id: number | null
  /** One sentence for the operator; it contains no text from the log. */
  explanation: string
}

function fault(kind: AuditFault['kind'], seq: number | null, audit_id: number | null, explanation: string): AuditFault {
  return { kind, seq, audit_id, explanation }
}

/** @param audit_id null if the chain itself has no entry there */
export function missing(seq: number, audit_id: number | null): AuditFault {
  const explanation =
    audit_id === null
      ? `The chain has no row at seq ${seq}, though it continues after it.`
      : `Audit row ${audit_id} is missing, though it was chained at seq ${seq}.`
  return fault('missing', seq, audit_id, explanation)
}

/** The chain ends before a head. @param kept whether the head was kept outside the database */
export function truncated(last: number, head: SignedHead, kept = false): AuditFault {
  const explanation =
    `The chain ends at seq ${last}, though a ${kept ? 'kept ' : ''}head was signed for seq ${head.seq} ` +
    `at ${head.signed_at}: rows from seq ${last + 1} on were removed${kept ? ', together with their heads' : ''}.`
  return fault('missing', last + 1, null, explanation)
}

export function unknownKey(seq: number, audit_id: number | null, key_id: string): AuditFault {
  const known = /^[0-9a-f]{8}$/.test(key_id) ? ` (key id ${key_id})` : ''
  const explanation =
    `Seq ${seq} was signed with a key that is not in AUDIT_HMAC_KEY${known}: add that key at ` + 'the end of the list.'
  return fault('key', seq, audit_id, explanation)
}

export function unsignedBeginning(seq: number): AuditFault {
  const explanation =
    `The beginning of the chain at seq ${seq} has no valid signature: ` +
    'rows before it were removed by somebody without the key.'
  return fault('beginning', seq, null, explanation)
}

export function unsignedHead({ seq }: SignedHead): AuditFault {
  return fault('head', seq, null, `The head at seq ${seq} has no valid signature.`)
}

export function headMismatch({ seq, signed_at }: SignedHead, audit_id: number): AuditFault {
  const explanation =
    `The head signed at ${signed_at} does not match the chain at seq ${seq}: rows up to ` + 'there were replaced.'
  return fault('head', seq, audit_id, explanation)
}

/** @param from the first row that may have been replaced or removed */
export function keptHeadMismatch({ seq, signed_at }: SignedHead, from: number, isThere: boolean): AuditFault {
  const explanation =
    `A kept head, signed at ${signed_at}, does not match the chain at seq ${seq}: ` +
    `rows from seq ${from} to ${seq} were replaced or removed.`
  return fault(isThere ? 'head' : 'missing', seq, null, explanation)
}

export function forged(audit_id: number): AuditFault {
  const explanation =
    `Audit row ${audit_id} is not in the chain, though all rows around it were chained: it ` +
    'was inserted afterwards.'
  return fault('forged', null, audit_id, explanation)
}

export function altered(seq: number, audit_id: number): AuditFault {
  return fault('altered', seq, audit_id, `Audit row ${audit_id} differs from what was chained at seq ${seq}.`)
}

export function reordered(seq: number, audit_id: number, now: { seq: number; audit_id: number }): AuditFault {
  const explanation =
    `What was chained at seq ${seq}, as audit row ${audit_id}, is now at seq ${now.seq}, ` +
    `as audit row ${now.audit_id}.`
  return fault('reordered', seq, audit_id, explanation)
}
