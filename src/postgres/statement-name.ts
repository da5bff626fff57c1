import { type RawBuilder, sql } from 'kysely'

/**
 * Names for statements, under which a connection prepares them once: parsing and planning cost PostgreSQL more than
 * running most of ours. (Measured: with 500 messages a second written and waited for on two replicas, from sending a
 * message to its arrival 49 ms without, 10 ms with.) PostgreSQL goes on planning a prepared statement each time where
 * that is worth it.
 */

const MARK = '/* planned each time */'
const MARK_ONCE = '/* planned once */'

/** In a statement whose best plan depends on what is looked for, or that has a text for every number of words. */
export const PLANNED_EACH_TIME: RawBuilder<unknown> = sql.raw(MARK)

/**
 * In a statement that goes by keys and has a plan that is right for all values, and dear to make. Left to itself
 * PostgreSQL plans one with a range, `seq > $1 and seq <= $2`, each time in a session of many messages: it takes the
 * range for half a percent of them.
 */
export const PLANNED_ONCE: RawBuilder<unknown> = sql.raw(MARK_ONCE)

export function isPlannedOnce(text: string): boolean {
  return text.startsWith(MARK_ONCE)
}

/** Each is kept, with its plan, by every connection that has run it: tens of kilobytes of the server's. */
const NAMES_MAX = 200
/** Texts of which it is remembered that they came once. */
const SEEN_MAX = 2000

const names = new Map<string, string>()
let seen = new Set<string>()

/**
 * The name of a statement's text, from its second time on; undefined where it is not to be prepared. The same for all
 * connections of the process.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined) return known
  // The long ones that are planned each time are not remembered either.
  if (
    names.size >= NAMES_MAX ||
    !/^(?:\/\* planned once \*\/)?\s*(select|insert|update|delete|with)\b/.test(text) ||
    text.includes(MARK)
  )
    return undefined
  if (!seen.has(text)) {
    if (seen.size >= SEEN_MAX) seen = new Set()
    seen.add(text)
    return undefined
  }
  seen.delete(text)
  const name = `scs.${names.size + 1}`
  names.set(text, name)
  return name
}
