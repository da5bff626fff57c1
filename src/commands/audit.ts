import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { ConfigError } from '../config/config.js'
import { DEFAULT_WORKSPACE } from '../kernel/agent.js'
import { type AuditKeys, auditKeys, parseHeadLine, type SignedHead } from '../audit/chain/keys.js'
import { exportAudit } from '../audit/chain/export.js'
import { auditedWorkspaces } from '../audit/chain/heads.js'
import { type AuditFault, verifyChain } from '../audit/chain/verify.js'
import { compareKeptHeads, type KeptHeads } from '../audit/chain/verify-heads.js'
import type { Db } from '../postgres/schema.js'
import { acrossSession } from '../postgres/scope.js'
import { onOneConnection, open } from './open.js'
import { expectSignals } from './stop.js'

export const USAGE = 'Say one of: audit verify [--workspace NAME] [--heads FILE], audit export [--workspace NAME].'
/** Lines of a file of heads that are compared at once. */
const HEADS = 1000

/** audit verify | export. verify ends with 0 where all is as it was written, and with 1 where it is not. */
export async function audit([verb = '', ...rest]: string[]): Promise<void> {
  const { workspace, heads } = optionsOf(verb, rest)
  const tell = (line: string) => {
    process.stderr.write(`${line}\n`)
  }
  const signals = expectSignals()
  const opened = await open('join', tell)
  const { config, embedded } = opened
  try {
    await onOneConnection(opened, tell, signals, async db => {
      // Policies hold for the owner too, unless it is a superuser.
      await acrossSession(db)
      const workspaces = workspace === undefined ? await auditedWorkspaces(db) : [workspace]
      if (verb === 'export') {
        if (!(await isThere(db, workspace))) throw new ConfigError(`${workspace}: ${NO_WORKSPACE}`)
        for (const name of workspaces) await exportOne(db, name)
        return
      }
      if (config.audit_hmac_keys === undefined)
        throw new ConfigError(
          'AUDIT_HMAC_KEY is not set: without the key that the chain was made with, nothing can be verified.'
        )
      if (!(await verifyAll(db, auditKeys(config.audit_hmac_keys), workspaces, workspace, heads))) process.exitCode = 1
    })
  } finally {
    await embedded?.close()
  }
}

function optionsOf(verb: string, args: string[]): { workspace?: string; heads?: string } {
  try {
    if (verb === 'verify')
      return parseArgs({ args, options: { workspace: { type: 'string' }, heads: { type: 'string' } } }).values
    if (verb === 'export') return parseArgs({ args, options: { workspace: { type: 'string' } } }).values
  } catch {
    // Told below.
  }
  throw new ConfigError(USAGE)
}

const NO_WORKSPACE = 'there is no such workspace: it has no audit rows, and never had any'

/** Whether somebody who names a workspace has not mistyped it. The first one is there before anything is written. */
async function isThere(db: Db, named: string | undefined): Promise<boolean> {
  return named === undefined || named === DEFAULT_WORKSPACE || (await auditedWorkspaces(db)).includes(named)
}

async function exportOne(db: Db, workspace: string): Promise<void> {
  for await (const line of exportAudit(db, workspace)) {
    // As fast as it is taken: the log may be larger than the memory.
    if (!process.stdout.write(`${JSON.stringify(line)}\n`))
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
  // The file first: what is chained while it is read is then not missed.
  const kept = file === undefined ? undefined : await readHeads(compareKeptHeads(db, keys), file, only)
  let isIntact = true
  for (const workspace of new Set([...workspaces, ...(kept?.workspaces() ?? [])])) {
    const { first_seq, to, rows, heads, last_head, not_yet_chained, fault } = await verifyChain(db, keys, workspace)
    const elsewhere = kept?.of(workspace)
    const first = [fault, elsewhere?.fault ?? null]
      .filter((one): one is AuditFault => one !== null)
      .sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity))[0]
    if (first !== undefined) {
      isIntact = false
      console.log(`${workspace}: FAULT (${first.kind}). ${first.explanation}`)
      continue
    }
    if (rows === 0 && last_head === null && not_yet_chained === 0 && kept?.workspaces().includes(workspace) !== true) {
      const there = await isThere(db, only)
      if (!there) isIntact = false
      console.log(`${workspace}: ${there ? 'there are no audit rows' : NO_WORKSPACE}`)
      continue
    }
    console.log(
      [
        `${workspace}: intact. ${rows} rows from seq ${first_seq} to ${to.seq}, ${heads} heads`,
        last_head === null ? 'no head yet' : `the last at seq ${last_head.seq}, signed at ${last_head.signed_at}`,
        ...(elsewhere === undefined ? [] : [`${elsewhere.fitting} kept heads fit`]),
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
  let some: SignedHead[] = []
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity })
  try {
    for await (const line of lines) {
      if (line.trim() === '') continue
      const head = parseHeadLine(line)
      if (head === undefined) unreadable++
      else if (only === undefined || head.workspace === only) some.push(head)
      if (some.length === HEADS) {
        await kept.add(some)
        some = []
      }
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (['ENOENT', 'EACCES', 'EISDIR'].includes(String(code)))
      throw new ConfigError(`The file of --heads cannot be read (${code}): ${file}`)
    throw error
  }
  await kept.add(some)
  if (unreadable > 0)
    console.log(
      `The file of heads has ${unreadable} lines that are no heads; one that a stopped machine broke off is harmless.`
    )
  if (kept.not_genuine() > 0)
    console.log(
      `The file of heads has ${kept.not_genuine()} heads that were not signed as they are with a key of AUDIT_HMAC_KEY.`
    )
  return { ...kept, isReadable: kept.not_genuine() === 0 }
}
