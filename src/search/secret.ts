import { createHmac } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from '../postgres/schema.js'
import { databaseOf } from '../postgres/scope.js'
import { KEY_BYTES, type TermHash, termHash } from './term-hash.js'

/**
 * The hash of a workspace's terms. What an agent finds out in a workspace of its own, such as words that collide, says
 * nothing of another.
 */
export type TermHashes = (workspace: string) => TermHash

/** Workspaces whose hash is kept, and with it what is remembered of their texts (terms.ts): some megabytes each. */
const HASHES_MAX = 4

/**
 * A database's secret is read once: it never changes. Kept for each database rather than for the program, which starts
 * before there are tables, and in tests has several.
 */
const read = new WeakMap<object, TermHashes>()

/** What the terms of a database are made by: the same on every replica of it, another in every other database. */
export async function termHashes(db: Db): Promise<TermHashes> {
  const database = databaseOf(db)
  let hashes = read.get(database)
  if (hashes === undefined) {
    const {
      rows: [row]
    } = await sql<{ secret: Buffer }>`select secret from search_secret`.execute(db)
    if (row === undefined) throw new Error('The database has lost the secret of its search index (search_secret).')
    read.set(database, (hashes = hashesBy(row.secret)))
  }
  return hashes
}

function hashesBy(secret: Uint8Array): TermHashes {
  const made = new Map<string, TermHash>()
  return workspace => {
    let hash = made.get(workspace)
    if (hash === undefined) {
      const oldest = made.keys().next()
      if (made.size >= HASHES_MAX && oldest.done !== true) made.delete(oldest.value)
      made.set(
        workspace,
        (hash = termHash(createHmac('sha256', secret).update(workspace).digest().subarray(0, KEY_BYTES)))
      )
    }
    return hash
  }
}
