import { type AST, getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser'
import { type Edit, lineEnd, lineStart, lineStop } from './edits.js'
import { Refused } from './refused.js'

/** What this program writes into a table. */
export type TomlTable = Readonly<Record<string, string | readonly string[] | Readonly<Record<string, string>>>>

/** What a file holds. @throws Refused if it is damaged */
export function parseToml(text: string): Record<string, unknown> {
  return getStaticTOMLValue(treeOf(text))
}

function treeOf(text: string): AST.TOMLProgram {
  try {
    return parseTOML(text)
  } catch (error) {
    // The parser's message may quote the file.
    if (error instanceof ParseError) throw new Refused(`is damaged at line ${error.lineNumber}; mend it first`)
    throw error
  }
}

/** Edits that add a table at the end of the file. Its path must not be there yet. */
export function insertTable(text: string, path: readonly string[], table: TomlTable): Edit[] {
  const end = lineEnd(text)
  const before = text === '' ? '' : text.endsWith('\n') ? end : end + end
  const lines = [`[${path.map(keyText).join('.')}]`, ...Object.entries(table).map(line)]
  return [{ offset: text.length, length: 0, text: `${before}${lines.join(end)}${end}` }]
}

/**
 * Edits that make a table hold what is given. Comments, and keys that are not named, stay.
 * @param unwanted keys that the table shall not have
 * @throws Refused if what is at the path is not written as a table
 */
export function updateTable(
  text: string,
  path: readonly string[],
  table: TomlTable,
  unwanted: readonly string[]
): Edit[] {
  const { own, below } = tablesAt(text, path)
  const edits: Edit[] = []
  const written = new Set<string>()
  for (const pair of own.body) {
    const [key = '', ...deeper] = pair.key.keys.map(nameOf)
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
  const missing = Object.entries(table).filter(([key]) => !written.has(key))
  const offset = lineStop(text, own.key.range[1])
  if (missing.length > 0)
    edits.push({ offset, length: 0, text: missing.map(pair => `${lineEnd(text)}${line(pair)}`).join('') })
  return edits
}

/** Edits that take out a table with the tables below it, and one empty line before it. */
export function removeTable(text: string, path: readonly string[]): Edit[] {
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

/** The whole lines of a part of the text. */
function withoutLines(text: string, [from, to]: AST.Range): Edit {
  const offset = lineStart(text, from)
  const stop = lineStop(text, to)
  const end = /^\r?\n/.exec(text.slice(stop))?.[0].length ?? 0
  return { offset, length: stop + end - offset, text: '' }
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === 'TOMLBare' ? key.name : key.value
}

function line([key, value]: [string, TomlTable[string]]): string {
  return `${keyText(key)} = ${valueText(value)}`
}

function keyText(key: string): string {
  return /^[\w-]+$/.test(key) ? key : textOf(key)
}

function valueText(value: TomlTable[string]): string {
  if (typeof value === 'string') return textOf(value)
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`
  const pairs = Object.entries(value).map(([key, text]) => `${textOf(key)} = ${textOf(text)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

/** What JSON escapes, TOML escapes alike, but for the character that JSON leaves. */
function textOf(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F')
}
