import type { AST } from 'toml-eslint-parser'
import { isObject } from '../../kernel/json.js'
import { applyEdits, type Edit, lineEnd, lineStop } from './edits.js'
import { Refused } from './refused.js'
import { insertInline, isInline, removeInline, updateInline } from './toml-inline.js'
import { namesOf, pairsOf, parseToml, pathText, type TomlTable, treeOf, valueText, withoutLines } from './toml-parts.js'

/**
 * Edits that add a table: at the end of the file, or between the braces of a table that is written as a value. Its path
 * must not be there yet.
 * @throws Refused if something else than a table is on its path
 */
export function insertTable(text: string, path: readonly string[], table: TomlTable): Edit[] {
  refuseOther(parseToml(text), path)
  const inline = insertInline(text, path, table)
  if (inline !== undefined) return inline
  const end = lineEnd(text)
  const before = text === '' ? '' : text.endsWith('\n') ? end : end + end
  const lines = [`[${pathText(path)}]`, ...pairsOf(table)]
  return [{ offset: text.length, length: 0, text: `${before}${lines.join(end)}${end}` }]
}

function refuseOther(whole: Record<string, unknown>, path: readonly string[]): void {
  let value: unknown = whole
  for (const [index, key] of path.entries()) {
    value = isObject(value) ? value[key] : undefined
    if (value !== undefined && !isObject(value))
      throw new Refused(`holds ${path.slice(0, index + 1).join('.')}, which is no table; change it by hand`)
  }
}

/**
 * The text in which a table holds what is given. Comments, and keys that are not named, stay.
 * @param unwanted keys that the table shall not have
 * @throws Refused if what is at the path is not written as a table
 */
export function updateTable(
  text: string,
  path: readonly string[],
  table: TomlTable,
  unwanted: readonly string[]
): string {
  if (isInline(text, path)) return updateInline(text, path, table, unwanted)
  const { own, below } = tablesAt(text, path)
  const edits: Edit[] = []
  const written = new Set<string>()
  for (const pair of own.body) {
    const [key = '', ...deeper] = namesOf(pair)
    const value = Object.hasOwn(table, key) ? table[key] : undefined
    const [from, to] = pair.value.range
    if (value !== undefined && deeper.length === 0) {
      written.add(key)
      edits.push({ offset: from, length: to - from, text: valueText(value) })
    } else if (value !== undefined || unwanted.includes(key)) {
      edits.push(withoutLines(text, pair.range))
    }
  }
  for (const one of below) {
    const key = String(one.resolvedKey[path.length])
    if (Object.hasOwn(table, key) || unwanted.includes(key)) edits.push(withoutLines(text, one.range))
  }
  const missing = pairsOf(Object.fromEntries(Object.entries(table).filter(([key]) => !written.has(key))))
  const offset = lineStop(text, own.key.range[1])
  if (missing.length > 0)
    edits.push({ offset, length: 0, text: missing.map(line => `${lineEnd(text)}${line}`).join('') })
  return applyEdits(text, edits)
}

/** Edits that take out a table with the tables below it, and one empty line before it. */
export function removeTable(text: string, path: readonly string[]): Edit[] {
  if (isInline(text, path)) return removeInline(text, path)
  const { own, below } = tablesAt(text, path)
  return [own, ...below].map(({ range }) => {
    const { offset, length } = withoutLines(text, range)
    const space = /(?:^|(?<=\n))\r?\n$/.exec(text.slice(0, offset))?.[0].length ?? 0
    return { offset: offset - space, length: length + space, text: '' }
  })
}

function tablesAt(text: string, path: readonly string[]): { own: AST.TOMLTable; below: AST.TOMLTable[] } {
  const tables = treeOf(text).body[0].body.filter(node => node.type === 'TOMLTable')
  const within = tables.filter(({ resolvedKey }) => path.every((key, index) => resolvedKey[index] === key))
  const own = within.find(({ resolvedKey, kind }) => resolvedKey.length === path.length && kind === 'standard')
  if (own === undefined)
    throw new Refused(`holds ${path.join('.')} in another form than a table [${path.join('.')}]; change it by hand`)
  return { own, below: within.filter(table => table !== own) }
}
