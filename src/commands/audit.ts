import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { printable } from '../kernel/text.js'
import { type AuditKeys, auditKeys, parseHeadLine, type SignedHead } from '../audit/chain/keys.js'
import { exportAudit } from '../audit/chain/export.js'
import { auditedWorkspaces } from '../audit/chain/heads.js'
import type { AuditFault } from '../audit/chain/faults.js'
import { verifyChain, type Verification } from '../audit/chain/verify.js'
import { compareKeptHeads, type KeptHeads } from '../audit/chain/verify-heads.js'
import type { Db } from '../postgres/schema.js'
import { JSON_OUTPUT, verb, type Verbs } from './command.js'
import { CommandError } from './failure.js'
import { needWorkspace, notice, withDatabase } from './operator.js'

const ONE_WORKSPACE = { type: 'string', value: '<name>', description: 'only this workspace; default: all' } as const

export const verbs: Verbs = {
  verify: verb({
    summary: 'Checks the audit log against its signed chain. It exits with 1 if anything does not fit.',
    options: {
      workspace: ONE_WORKSPACE,
      heads: {
        type: 'string',
        value: '<file>',
        description: 'compare with these heads too, as AUDIT_HEAD_FILE or the log has kept them'
      },
      json: JSON_OUTPUT
    },
    async run({ workspace, heads, json }) {
      await withDatabase(async (db, { audit_hmac_keys }) => {
        if (audit_hmac_keys === undefined)
          throw new CommandError('AUDIT_HMAC_KEY is not set. Verifying a chain needs the key that signed it.')
        if (!(await verifyAll(db, auditKeys(audit_hmac_keys), { only: workspace, file: heads, json })))
          process.exitCode = 1
      })
    }
  }),
  export: verb({
    summary: 'Prints the audit log with its chain, as lines of JSON.',
    options: { workspace: ONE_WORKSPACE },
    async run({ workspace }) {
      await withDatabase(async db => {
        if (workspace !== undefined) await needWorkspace(db, workspace)
        for (const name of workspace === undefined ? await auditedWorkspaces(db) : [workspace])
          await exportOne(db, name)
      })
    }
  })
}

/** Heads of the file that one query compares. */
const HEAD_BATCH = 1000

async function exportOne(db: Db, workspace: string): Promise<void> {
  await exportAudit(db, workspace, async line => {
    // Wait for the reader: the log may be larger than the memory.
    if (!process.stdout.write(`${printable(JSON.stringify(line))}\n`))
      await new Promise(resolve => process.stdout.once('drain', resolve))
  })
}

/** @returns whether all is intact */
async function verifyAll(
  db: Db,
  keys: AuditKeys,
  { only, file, json }: { only: string | undefined; file: string | undefined; json: boolean }
): Promise<boolean> {
  // Read the file before the chains, so that the chains contain every head of the file.
  const kept = file === undefined ? undefined : await readHeads(compareKeptHeads(db, keys), file, only)
  if (only !== undefined && !kept?.workspaces().includes(only)) await needWorkspace(db, only)
  const workspaces = only === undefined ? await auditedWorkspaces(db) : [only]
  let isIntact = true
  for (const workspace of new Set([...workspaces, ...(kept?.workspaces() ?? [])])) {
    const verified = await verifyChain(db, keys, workspace)
    const keptResult = kept?.resultOf(workspace)
    const [fault = null] = [verified.fault, keptResult?.fault ?? null]
      .filter((one): one is AuditFault => one !== null)
      .sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity))
    if (fault !== null) isIntact = false
    const result = { ...verified, fault, kept_heads: keptResult?.matching ?? null }
    console.log(json ? jsonLine(workspace, result) : line(workspace, result))
  }
  if (workspaces.length === 0) notice('There are no audit rows.')
  return isIntact && (kept?.isReadable ?? true)
}

type Result = Verification & { kept_heads: number | null }

function line(workspace: string, { fault, first_seq, to, rows, heads, last_head, ...more }: Result): string {
  const { kept_heads, not_yet_chained } = more
  if (fault !== null) return `${workspace}: FAULT (${fault.kind}). ${fault.explanation}`
  if (rows + not_yet_chained === 0 && last_head === null && kept_heads === null)
    return `${workspace}: there are no audit rows`
  return [
    `${workspace}: intact. ${rows} rows from seq ${first_seq} to ${to.seq}, ${heads} heads`,
    last_head === null ? 'no head yet' : `the last at seq ${last_head.seq}, signed at ${last_head.signed_at}`,
    ...(kept_heads === null ? [] : [`${kept_heads} kept heads match`]),
    `${not_yet_chained} rows not yet chained`
  ].join('; ')
}

function jsonLine(workspace: string, { to, is_done: _done, fault, ...counts }: Result): string {
  return JSON.stringify({ workspace, intact: fault === null, fault, last_seq: to.seq, ...counts })
}

async function readHeads(
  kept: KeptHeads,
  file: string,
  only: string | undefined
): Promise<KeptHeads & { isReadable: boolean }> {
  let unreadable = 0
  let batch: SignedHead[] = []
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity })
  try {
    for await (const line of lines) {
      if (line.trim() === '') continue
      const head = parseHeadLine(line)
      if (head === undefined) unreadable++
      else if (only === undefined || head.workspace === only) batch.push(head)
      if (batch.length === HEAD_BATCH) {
        await kept.add(batch)
        batch = []
      }
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (['ENOENT', 'EACCES', 'EISDIR'].includes(String(code)))
      throw new CommandError(`The file named by --heads cannot be read (${code}): ${file}`)
    throw error
  }
  await kept.add(batch)
  if (unreadable > 0)
    notice(`${unreadable} lines of the file are not heads. One incomplete line, left by a crash, is harmless.`)
  if (kept.invalidCount() > 0)
    notice(`${kept.invalidCount()} heads of the file have no valid signature of a key in AUDIT_HMAC_KEY.`)
  return { ...kept, isReadable: kept.invalidCount() === 0 }
}
