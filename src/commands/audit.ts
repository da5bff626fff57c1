import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { ConfigError } from '../config/config.js'
import { DEFAULT_WORKSPACE } from '../kernel/agent.js'
import { printable } from '../kernel/text.js'
import { type AuditKeys, auditKeys, parseHeadLine, type SignedHead } from '../audit/chain/keys.js'
import { exportAudit } from '../audit/chain/export.js'
import { auditedWorkspaces } from '../audit/chain/heads.js'
import { type AuditFault, verifyChain } from '../audit/chain/verify.js'
import { compareKeptHeads, type KeptHeads } from '../audit/chain/verify-heads.js'
import type { Db } from '../postgres/schema.js'
import { acrossSession } from '../postgres/scope.js'
import { withOwnerConnection, openContext } from './open.js'
import { handleSignals } from './stop.js'

export const USAGE = 'Usage: audit verify [--workspace NAME] [--heads FILE], or audit export [--workspace NAME].'
/** Heads of the file that one query compares. */
const HEAD_BATCH = 1000

/**
 * audit verify | export. `verify` exits with 0 if every chain is intact, and with 1 otherwise.
 * @throws ConfigError if the arguments are wrong, a key is missing, or the workspace does not exist
 */
export async function audit([verb = '', ...rest]: string[]): Promise<void> {
  const { workspace, heads } = parseOptions(verb, rest)
  const log = (line: string) => {
    process.stderr.write(`${line}\n`)
  }
  const signals = handleSignals()
  const context = await openContext('join', log)
  const { config, embedded } = context
  try {
    await withOwnerConnection(context, log, signals, async db => {
      // Row-level security applies to the tables' owner too, unless it is a superuser.
      await acrossSession(db)
      const workspaces = workspace === undefined ? await auditedWorkspaces(db) : [workspace]
      if (verb === 'export') {
        if (!(await workspaceExists(db, workspace))) throw new ConfigError(`${workspace}: ${NO_WORKSPACE}`)
        for (const name of workspaces) await exportOne(db, name)
        return
      }
      if (config.audit_hmac_keys === undefined)
        throw new ConfigError('AUDIT_HMAC_KEY is not set. Verifying a chain needs the key that signed it.')
      if (!(await verifyAll(db, auditKeys(config.audit_hmac_keys), workspaces, workspace, heads))) process.exitCode = 1
    })
  } finally {
    await embedded?.close()
  }
}

function parseOptions(verb: string, args: string[]): { workspace?: string; heads?: string } {
  try {
    if (verb === 'verify')
      return parseArgs({ args, options: { workspace: { type: 'string' }, heads: { type: 'string' } } }).values
    if (verb === 'export') return parseArgs({ args, options: { workspace: { type: 'string' } } }).values
  } catch {
    // Reported below.
  }
  throw new ConfigError(USAGE)
}

const NO_WORKSPACE = 'there is no such workspace: it has no audit rows, and never had any'

/** Detects a mistyped workspace. The default workspace exists before it has audit rows. */
async function workspaceExists(db: Db, workspace: string | undefined): Promise<boolean> {
  return workspace === undefined || workspace === DEFAULT_WORKSPACE || (await auditedWorkspaces(db)).includes(workspace)
}

async function exportOne(db: Db, workspace: string): Promise<void> {
  for await (const line of exportAudit(db, workspace)) {
    // Wait for the reader: the log may be larger than the memory.
    if (!process.stdout.write(`${printable(JSON.stringify(line))}\n`))
      await new Promise(resolve => process.stdout.once('drain', resolve))
  }
}

async function verifyAll(
  db: Db,
  keys: AuditKeys,
  workspaces: string[],
  only: string | undefined,
  file: string | undefined
): Promise<boolean> {
  // Read the file before the chains, so that the chains contain every head of the file.
  const kept = file === undefined ? undefined : await readHeads(compareKeptHeads(db, keys), file, only)
  let isIntact = true
  for (const workspace of new Set([...workspaces, ...(kept?.workspaces() ?? [])])) {
    const { first_seq, to, rows, heads, last_head, not_yet_chained, fault } = await verifyChain(db, keys, workspace)
    const keptResult = kept?.resultOf(workspace)
    const first = [fault, keptResult?.fault ?? null]
      .filter((one): one is AuditFault => one !== null)
      .sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity))[0]
    if (first !== undefined) {
      isIntact = false
      console.log(`${workspace}: FAULT (${first.kind}). ${first.explanation}`)
      continue
    }
    if (rows === 0 && last_head === null && not_yet_chained === 0 && kept?.workspaces().includes(workspace) !== true) {
      const exists = await workspaceExists(db, only)
      if (!exists) isIntact = false
      console.log(`${workspace}: ${exists ? 'there are no audit rows' : NO_WORKSPACE}`)
      continue
    }
    console.log(
      [
        `${workspace}: intact. ${rows} rows from seq ${first_seq} to ${to.seq}, ${heads} heads`,
        last_head === null ? 'no head yet' : `the last at seq ${last_head.seq}, signed at ${last_head.signed_at}`,
        ...(keptResult === undefined ? [] : [`${keptResult.matching} kept heads match`]),
        `${not_yet_chained} rows not yet chained`
      ].join('; ')
    )
  }
  if (workspaces.length === 0 && only === undefined) console.log('There are no audit rows.')
  return isIntact && (kept?.isReadable ?? true)
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
      throw new ConfigError(`The file named by --heads cannot be read (${code}): ${file}`)
    throw error
  }
  await kept.add(batch)
  if (unreadable > 0)
    console.log(`${unreadable} lines of the file are not heads. One incomplete line, left by a crash, is harmless.`)
  if (kept.invalidCount() > 0)
    console.log(`${kept.invalidCount()} heads of the file have no valid signature of a key in AUDIT_HMAC_KEY.`)
  return { ...kept, isReadable: kept.invalidCount() === 0 }
}
