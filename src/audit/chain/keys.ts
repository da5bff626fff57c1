import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { Schema } from '../../postgres/schema.js'

/**
 * The keys of the audit chain, and exactly which bytes its macs and signatures cover. docs/audit.md specifies the same
 * for other programs.
 */

export interface AuditKey {
  /** Identifies the key beside its signatures without revealing it. */
  id: string
  secret: KeyObject
}

export interface AuditKeys {
  /** The key that signs. */
  first: AuditKey
  /** Finds any key, to verify. */
  find: (id: string) => AuditKey | undefined
}

/** @param secrets at least one; the first signs */
export function auditKeys(secrets: readonly string[]): AuditKeys {
  const keys = secrets.map((text): AuditKey => {
    const secret = createSecretKey(Buffer.from(text))
    return { id: createHmac('sha256', secret).update('audit key id').digest('hex').slice(0, 8), secret }
  })
  const byId = new Map(keys.map(key => [key.id, key]))
  return { first: keys[0] as AuditKey, find: id => byId.get(id) }
}

/** The mac before the first row. */
export const NO_MAC = Buffer.alloc(32)

export type AuditText = string | null

/** @param row its covered columns, in their fixed order */
export function rowMac(
  { secret }: AuditKey,
  workspace: string,
  seq: number,
  before: Buffer,
  row: readonly AuditText[]
): Buffer {
  return macOf(secret, ['row', workspace, seq, before.toString('hex'), ...row])
}

/** The position of a chain at some time. */
export type SignedHead = Selectable<Schema['audit_heads']>
export type AuditHead = Omit<SignedHead, 'key_id' | 'signature'>

export function signHead(key: AuditKey, head: AuditHead): SignedHead {
  return { ...head, key_id: key.id, signature: headSignature(key, head) }
}

export function isHeadGenuine(keys: AuditKeys, head: SignedHead): boolean {
  const key = keys.find(head.key_id)
  return key !== undefined && isSame(head.signature, headSignature(key, head))
}

function headSignature({ secret }: AuditKey, { workspace, seq, mac, drained_to, signed_at }: AuditHead): Buffer {
  return macOf(secret, ['head', workspace, seq, mac.toString('hex'), drained_to, signed_at])
}

/** A head as the service's log, AUDIT_HEAD_FILE and an export show it. */
export function headLine({ mac, signature, ...head }: SignedHead): Record<string, unknown> {
  return { ...head, mac: mac.toString('hex'), signature: signature.toString('hex') }
}

/** @returns undefined if the line is not a head */
export function parseHeadLine(text: string): SignedHead | undefined {
  try {
    const { workspace, seq, mac, drained_to, signed_at, key_id, signature } = JSON.parse(text) as Record<
      string,
      unknown
    >
    const hex = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
    if (
      typeof workspace !== 'string' ||
      !Number.isSafeInteger(seq) ||
      !hex(mac) ||
      !Number.isSafeInteger(drained_to) ||
      typeof signed_at !== 'string' ||
      typeof key_id !== 'string' ||
      !hex(signature)
    )
      return undefined
    return {
      workspace,
      seq: seq as number,
      mac: Buffer.from(mac, 'hex'),
      drained_to: drained_to as number,
      signed_at,
      key_id,
      signature: Buffer.from(signature, 'hex')
    }
  } catch {
    return undefined
  }
}

/** A former head that retention has made the beginning of its chain. */
export type SignedBeginning = Selectable<Schema['audit_beginnings']>
export type AuditBeginning = Omit<SignedBeginning, 'key_id' | 'signature'>

export function signBeginning(key: AuditKey, beginning: AuditBeginning): SignedBeginning {
  return { ...beginning, key_id: key.id, signature: beginningSignature(key, beginning) }
}

export function isBeginningGenuine(keys: AuditKeys, beginning: SignedBeginning): boolean {
  const key = keys.find(beginning.key_id)
  return key !== undefined && isSame(beginning.signature, beginningSignature(key, beginning))
}

function beginningSignature({ secret }: AuditKey, { workspace, seq, mac, begun_at }: AuditBeginning): Buffer {
  return macOf(secret, ['beginning', workspace, seq, mac.toString('hex'), begun_at])
}

export function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** A JSON array marks where each part ends, so two different lists never have the same text. */
function macOf(secret: KeyObject, parts: readonly unknown[]): Buffer {
  return createHmac('sha256', secret).update(JSON.stringify(parts)).digest()
}
