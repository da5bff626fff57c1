import type { Change } from './change.js'
import { exchange, type FoundFile, readFound, removeFile } from './file.js'
import { digest, textBefore, type Written, type WrittenFiles } from './record.js'
import { applyEdits, insertedRanges } from './text/edits.js'
import { Refused } from './text/refused.js'

/** What becomes of one thing in a file. */
export interface Planned {
  at: string
  what: 'add' | 'update' | 'keep' | 'remove' | 'absent'
  /** What stood there, and what will. */
  before: unknown
  after: unknown
  /** The text that is put in, and its line. */
  inserted: Array<{ line: number; text: string }>
}

/** What becomes of one file. */
export interface Plan {
  file: FoundFile
  after: string
  /** Whether the file goes: this program made it, and nothing else is in it. */
  removes_file: boolean
  /** Whether it holds an API key from then on. */
  secret: boolean
  planned: Planned[]
  written: Written | undefined
}

/** Plans to put things into a file, or to bring them up to date there. @throws Refused */
export async function planWriting(
  path: string,
  changes: readonly Change[],
  secret: boolean,
  record: WrittenFiles
): Promise<Plan> {
  const file = await readFound(path)
  const known = record[file.target]
  const original = textBefore(known, file.bytes, file.text)
  // A file that is as this program left it gets the new in place of the old, and can still be restored to the byte.
  const base = original ?? file.text
  const steps: Written['steps'] = []
  let text = base
  let isExact = true
  const planned = changes.map((change): Planned => {
    const before = change.value(file.text)
    if (change.isThere(text)) {
      isExact = false
      const updated = change.update(text)
      const what = updated === text ? 'keep' : 'update'
      text = updated
      return { at: change.at, what, before, after: change.value(text), inserted: [] }
    }
    const edits = change.insert(text)
    const inserted = edits.map(edit => ({ line: text.slice(0, edit.offset).split('\n').length, text: edit.text }))
    text = applyEdits(text, edits)
    steps.push(insertedRanges(edits))
    const after = change.value(text)
    const what = before === undefined ? 'add' : JSON.stringify(before) === JSON.stringify(after) ? 'keep' : 'update'
    return { at: change.at, what, before, after, inserted: what === 'add' ? inserted : [] }
  })
  const created = original === undefined ? file.bytes === undefined : known?.created === true
  const written = isExact && changes.length > 0 ? { sha256: digest(bytesOf(file, text)), steps, created } : undefined
  return { file, after: text, removes_file: false, secret, planned, written }
}

/** Plans to take out of a file what is of this program. @throws Refused */
export async function planRemoving(path: string, changes: readonly Change[], record: WrittenFiles): Promise<Plan> {
  const file = await readFound(path)
  const known = record[file.target]
  const original = textBefore(known, file.bytes, file.text)
  const planned = changes.map(({ at, value }): Planned => {
    const before = file.bytes === undefined ? undefined : value(file.text)
    return { at, what: before === undefined ? 'absent' : 'remove', before, after: undefined, inserted: [] }
  })
  const after = original ?? changes.reduce((text, change) => change.remove(text), file.text)
  const removes_file = original !== undefined && known?.created === true && original === ''
  return { file, after, removes_file, secret: false, planned, written: undefined }
}

/** Whether a plan changes the file or its permissions. */
export function changesFile({ file, after, removes_file, secret }: Plan): boolean {
  const isOpen = secret && process.platform !== 'win32' && file.mode !== undefined && (file.mode & 0o077) !== 0
  return removes_file || isOpen || (file.bytes === undefined ? after !== '' : after !== file.text)
}

/**
 * Does what was planned, and notes it in the record.
 * @returns the permissions that the file had, if it has fewer now
 * @throws Refused
 */
export async function carryOut(plan: Plan, record: WrittenFiles): Promise<{ tightened?: number }> {
  const { file, after, removes_file, secret, written } = plan
  if (removes_file) {
    const now = await readFound(file.path)
    if (now.text !== file.text) throw new Refused('was changed by another program meanwhile; nothing was written')
    await removeFile(file)
  }
  const result = removes_file || !changesFile(plan) ? {} : await exchange(file, after, secret)
  if (written === undefined) delete record[file.target]
  else record[file.target] = written
  return result
}

function bytesOf({ has_bom }: FoundFile, text: string): string {
  return `${has_bom ? '\uFEFF' : ''}${text}`
}
