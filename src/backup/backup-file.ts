import { createHash, type Hash } from 'node:crypto'

/**
 * The lines of a backup, each of them JSON. A row is an object, as PostgreSQL prints it; everything else is an array
 * that begins with a word:
 *
 *     ["backup", {header}]
 *     ["part", null]                      what belongs to no workspace; then a part for each workspace
 *     ["table", "messages", ["id", …]]    its rows follow
 *     {"id": 1, …}
 *     ["end", {"rows": 1, "sha256": "…"}] of the part, from the line after its "part" line on
 *     ["sequences", {"messages_id_seq": "2"}]
 *     ["complete", {"parts": 2, "sha256": "…"}]           of the lines that are in no part's digest
 */
export const FORMAT = 1

export interface Header {
  format: typeof FORMAT
  /** Of this backup, so that a restore knows what it has done already. */
  id: string
  /** The program's version. */
  program: string
  /** The last migration of the database. */
  migration: string
  created_at: string
}

export interface PartEnd {
  rows: number
  /** Of the lines of the part, each with its line end. */
  sha256: string
}

/** A part: a workspace, or null for what belongs to none. */
export type Part = string | null

export const partName = (part: Part) => (part === null ? 'what belongs to no workspace' : `the workspace ${part}`)

/** Adds up the lines of a part. */
export class PartDigest {
  rows = 0
  private readonly hash: Hash = createHash('sha256')

  /** @param line without its line end */
  add(line: string, is_row: boolean): void {
    this.hash.update(line).update('\n')
    if (is_row) this.rows++
  }

  end(): PartEnd {
    return { rows: this.rows, sha256: this.hash.digest('hex') }
  }
}

/** A backup that cannot be used: cut off, changed, or of a program that this one does not know. */
export class BackupFault extends Error {}

export type Event =
  | { type: 'backup'; header: Header }
  | { type: 'part'; part: Part }
  | { type: 'table'; table: string; columns: string[] }
  | { type: 'row'; line: string }
  | { type: 'end'; end: PartEnd }
  | { type: 'sequences'; sequences: Record<string, string> }
  | { type: 'complete'; parts: number }

/**
 * Reads the lines of a backup and checks each part's rows and digest. It must be read to its end: only then it is known
 * to be complete.
 * @throws BackupFault
 */
export async function* eventsOf(lines: AsyncIterable<string>): AsyncGenerator<Event> {
  let begun = false
  let complete = false
  let parts = 0
  let digest: PartDigest | undefined
  const outside = new PartDigest()
  for await (const line of lines) {
    if (line === '') continue
    if (complete) throw new BackupFault('The backup goes on behind its end.')
    if (begun && line.startsWith('{')) {
      if (digest === undefined) throw new BackupFault('The backup has rows outside its parts.')
      digest.add(line, true)
      yield { type: 'row', line }
      continue
    }
    const [word, value, more] = directive(line)
    if (word !== 'table' && word !== 'complete') outside.add(line, false)
    if (!begun) {
      const header = value as Header | undefined
      if (word !== 'backup' || header?.format !== FORMAT)
        throw new BackupFault('This is no backup of a shared-context-server, or one of a later version.')
      begun = true
      yield { type: 'backup', header }
    } else if (word === 'part' && digest === undefined) {
      digest = new PartDigest()
      yield { type: 'part', part: value as Part }
    } else if (word === 'table' && digest !== undefined) {
      digest.add(line, false)
      yield { type: 'table', table: value as string, columns: more as string[] }
    } else if (word === 'end' && digest !== undefined) {
      const end = digest.end()
      const said = value as PartEnd
      if (said.rows !== end.rows || said.sha256 !== end.sha256)
        throw new BackupFault(`The backup was changed or damaged: part ${parts + 1} is not as it was written.`)
      parts++
      digest = undefined
      yield { type: 'end', end }
    } else if (word === 'sequences' && digest === undefined) {
      yield { type: 'sequences', sequences: value as Record<string, string> }
    } else if (word === 'complete' && digest === undefined) {
      const said = value as { parts?: number; sha256?: string }
      if (said.parts !== parts || said.sha256 !== outside.end().sha256)
        throw new BackupFault('The backup was changed or damaged: its parts are not those that were written.')
      complete = true
      yield { type: 'complete', parts }
    } else throw new BackupFault('The backup was changed or damaged: its parts are not in order.')
  }
  if (!complete) throw new BackupFault('The backup is cut off: its end is missing.')
}

function directive(line: string): unknown[] {
  try {
    const value = JSON.parse(line) as unknown
    if (Array.isArray(value)) return value
  } catch {
    // Told below.
  }
  throw new BackupFault('This is no backup of a shared-context-server, or it was damaged.')
}
