import type { AST } from 'toml-eslint-parser'
import { applyEdits, type Edit } from './edits.js'
import {
  inBraces,
  namesOf,
  pairsOf,
  pairText,
  type TomlTable,
  type TomlValue,
  treeOf,
  valueText,
  withoutLines
} from './toml-parts.js'

/**
 * Edits of tables that are written as a value: `mcp_servers = { a = { url = "x" } }`. Such a table is closed: no header
 * `[mcp_servers.b]` may add to it, so what is new has to go between its braces.
 */

/** A table that is written as a value, and leads to a path. */
interface Inline {
  pair: AST.TOMLKeyValue
  table: AST.TOMLInlineTable
  /** What of the path is below the table. */
  rest: readonly string[]
}

/** Edits that add a table where one on its path is written as a value; undefined if none is. */
export function insertInline(text: string, path: readonly string[], table: TomlTable): Edit[] | undefined {
  const parent = inlinesTo(text, path).at(-1)
  if (parent === undefined) return undefined
  return [insertPair(text, parent.table, pairText(parent.rest, inBraces(pairsOf(table))))]
}

/** Whether the table at a path is written as a value. */
export function isInline(text: string, path: readonly string[]): boolean {
  return entryAt(text, path) !== undefined
}

/** The text in which such a table holds what is given, and none of the unwanted keys. Other keys stay. */
export function updateInline(
  text: string,
  path: readonly string[],
  table: TomlTable,
  unwanted: readonly string[]
): string {
  const without = unwanted.reduce((after, key) => setKey(after, path, key, undefined), text)
  return Object.entries(table).reduce((after, [key, value]) => setKey(after, path, key, value), without)
}

/** Edits that take out such a table. */
export function removeInline(text: string, path: readonly string[]): Edit[] {
  const found = entryAt(text, path)
  return found === undefined ? [] : [withoutPair(text, found.pair)]
}

function entryAt(text: string, path: readonly string[]): Inline | undefined {
  return inlinesTo(text, path).find(({ rest }) => rest.length === 0)
}

/** The tables on a path that are written as values, the outermost first. */
function inlinesTo(text: string, path: readonly string[]): Inline[] {
  const top = treeOf(text).body[0].body
  return [
    ...inlinesAmong(
      top.filter(node => node.type === 'TOMLKeyValue'),
      path
    ),
    ...top
      .filter(node => node.type === 'TOMLTable')
      .filter(({ resolvedKey }) => resolvedKey.every((key, index) => path[index] === key))
      .flatMap(({ body, resolvedKey }) => inlinesAmong(body, path.slice(resolvedKey.length)))
  ]
}

function inlinesAmong(pairs: readonly AST.TOMLKeyValue[], path: readonly string[]): Inline[] {
  return pairs.flatMap(pair => {
    const names = namesOf(pair)
    const { value } = pair
    if (value.type !== 'TOMLInlineTable' || !names.every((name, index) => path[index] === name)) return []
    const rest = path.slice(names.length)
    return [{ pair, table: value, rest }, ...inlinesAmong(value.body, rest)]
  })
}

/** The text in which a table that is written as a value has this at a key, or nothing. */
function setKey(text: string, path: readonly string[], key: string, value: TomlValue | undefined): string {
  const table = entryAt(text, path)?.table
  const found = table?.body.filter(pair => namesOf(pair)[0] === key) ?? []
  const [first] = found
  if (first !== undefined && value !== undefined && namesOf(first).length === 1) {
    const [from, to] = first.value.range
    return applyEdits(text, [{ offset: from, length: to - from, text: valueText(value) }])
  }
  // One at a time: what two edits take out could overlap.
  if (first !== undefined) return setKey(applyEdits(text, [withoutPair(text, first)]), path, key, value)
  if (table === undefined || value === undefined) return text
  return applyEdits(text, [insertPair(text, table, pairText([key], valueText(value)))])
}

function insertPair(text: string, { body, range }: AST.TOMLInlineTable, pair: string): Edit {
  const last = body.at(-1)
  if (last !== undefined) return { offset: last.range[1], length: 0, text: `, ${pair}` }
  const offset = range[0] + 1
  return { offset, length: 0, text: text[offset] === '}' ? ` ${pair} ` : ` ${pair}` }
}

/** Takes out a pair: with its comma, or with its line where it has one of its own. */
function withoutPair(text: string, pair: AST.TOMLKeyValue): Edit {
  const { parent, range } = pair
  if (parent.type !== 'TOMLInlineTable') return withoutLines(text, range)
  const index = parent.body.indexOf(pair)
  const before = parent.body[index - 1]
  const after = parent.body[index + 1]
  const from = before?.range[1] ?? (after === undefined ? parent.range[0] + 1 : range[0])
  const to = before === undefined ? (after?.range[0] ?? parent.range[1] - 1) : range[1]
  return { offset: from, length: to - from, text: '' }
}
