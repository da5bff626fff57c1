import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../../kernel/json.js'
import { applyEdits, type Edit } from './edits.js'
import { appendAt, insertAt, parseJsonc, removeAt, replaceAt } from './jsonc.js'
import { Refused } from './refused.js'
import { insertTable, removeTable, updateTable } from './toml.js'
import { parseToml, type TomlTable } from './toml-parts.js'

/**
 * What coding agents keep their servers in. JSON may have comments and trailing commas, whether its reader allows them
 * or not.
 */
export type FormatName = 'json' | 'toml'

/** What is written about one server: texts, lists of texts, and objects of texts; `enabled` and the like. */
export type Entry = Readonly<Record<string, unknown>>

/**
 * Keys that say how a server is reached. An entry that is brought up to date keeps none of them that is no longer
 * wanted, but all others, which the user has added.
 */
const REACHING = [
  ...['type', 'transportType', 'url', 'httpUrl', 'serverUrl', 'headers', 'requestInit'],
  ...['command', 'args', 'env', 'environment'],
  ...['http_headers', 'env_http_headers', 'bearer_token_env_var']
]

/** Headers that say who calls; an entry keeps others that the user has added. */
const WHO_CALLS = ['x-api-key', 'x-agent-id', 'x-agent-type', 'authorization']

/** What a text holds at a path. @throws Refused if the text is damaged */
export function valueAt(format: FormatName, text: string, path: readonly string[]): unknown {
  const whole = format === 'toml' ? parseToml(text) : parseJsonc(text)
  return path.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), whole)
}

/** The items of the list at a path of a JSON text; none if there is no list. */
export function listAt(text: string, path: readonly string[]): unknown[] {
  const items = valueAt('json', text, path)
  return Array.isArray(items) ? (items as unknown[]) : []
}

/** Edits that put a new entry into a text. @throws Refused */
export function insertEntry(format: FormatName, text: string, path: readonly string[], entry: Entry): Edit[] {
  const edits = format === 'toml' ? insertTable(text, path, entry as TomlTable) : insertAt(text, path, entry)
  prove(format, text, applyEdits(text, edits), path, entry)
  return edits
}

/** The text with the entry that is there brought up to date. @throws Refused */
export function updateEntry(format: FormatName, text: string, path: readonly string[], entry: Entry): string {
  const current = valueAt(format, text, path)
  if (!isObject(current)) throw new Refused(`holds ${path.join('.')}, which is no object`)
  const wanted = merged(current, entry)
  if (isDeepStrictEqual(current, wanted)) return text
  const unwanted = Object.keys(current).filter(key => !Object.hasOwn(wanted, key))
  const after =
    format === 'toml'
      ? updateTable(text, path, entryOnly(wanted, entry), unwanted)
      : mergeInto(text, path, current, wanted)
  prove(format, text, after, path, wanted)
  return after
}

/** The text without the entry; the same text if it has none. @throws Refused */
export function removeEntry(format: FormatName, text: string, path: readonly string[]): string {
  if (valueAt(format, text, path) === undefined) return text
  const after = applyEdits(text, format === 'toml' ? removeTable(text, path) : removeAt(text, path))
  prove(format, text, after, path, undefined)
  return after
}

/** Edits that add an item at the end of a list of a JSON file. @throws Refused */
export function appendItem(text: string, path: readonly string[], item: unknown): Edit[] {
  const edits = appendAt(text, path, item)
  prove('json', text, applyEdits(text, edits), path, [...listAt(text, path), item])
  return edits
}

function merged(current: Entry, entry: Entry): Entry {
  const kept = Object.entries(current).filter(([key]) => Object.hasOwn(entry, key) || !REACHING.includes(key))
  const wanted: Record<string, unknown> = Object.fromEntries(kept)
  for (const [key, value] of Object.entries(entry)) {
    const before = wanted[key]
    const others = isObject(before)
      ? Object.entries(before).filter(([header]) => !WHO_CALLS.includes(header.toLowerCase()))
      : []
    wanted[key] = isObject(value) ? { ...Object.fromEntries(others), ...value } : value
  }
  return wanted
}

function entryOnly(wanted: Entry, entry: Entry): TomlTable {
  return Object.fromEntries(Object.keys(entry).map(key => [key, wanted[key]])) as TomlTable
}

function mergeInto(text: string, path: readonly string[], current: Entry, wanted: Entry): string {
  let after = text
  for (const key of Object.keys(current))
    if (!Object.hasOwn(wanted, key)) after = applyEdits(after, removeAt(after, [...path, key]))
  for (const [key, value] of Object.entries(wanted)) {
    const before = current[key]
    const at = [...path, key]
    if (isDeepStrictEqual(before, value)) continue
    if (isObject(before) && isObject(value)) after = mergeInto(after, at, before, value)
    else
      after = applyEdits(after, Object.hasOwn(current, key) ? replaceAt(after, at, value) : insertAt(after, at, value))
  }
  return after
}

/**
 * Reads the result as the coding agent will: it must hold what it held, but for the one place.
 * @throws Refused instead of a result that lost something
 */
export function prove(
  format: FormatName,
  before: string,
  after: string,
  path: readonly string[],
  value: unknown
): void {
  const whole = (text: string) => (format === 'toml' ? parseToml(text) : (parseJsonc(text) ?? {}))
  const wanted = withValue(whole(before), path, value)
  if (!isAsWanted()) throw new Refused('is written in a way that this program cannot change safely; change it by hand')

  function isAsWanted(): boolean {
    try {
      return (
        isDeepStrictEqual(plain(withValue(whole(after), path, value)), plain(wanted)) &&
        isDeepStrictEqual(plain(valueAt(format, after, path)), plain(value))
      )
    } catch (error) {
      // It is the result that is damaged, not the file.
      if (error instanceof Refused) return false
      throw error
    }
  }
}

/** Objects on the way that are empty once the value is gone count as nothing, so that both sides compare alike. */
function withValue(whole: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  const object = isObject(whole) ? whole : {}
  const inner = withValue(object[key], rest, value)
  const others = Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
  const isNothing = inner === undefined || (isObject(inner) && Object.keys(inner).length === 0)
  return isNothing ? others : { ...others, [key]: inner }
}

/** Without prototypes, which parsers make in their own ways; key order stays. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value) || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
