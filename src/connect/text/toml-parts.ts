import { type AST, getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser'
import { type Edit, lineStart, lineStop } from './edits.js'
import { Refused } from './refused.js'

/** What this program writes into a table. */
export type TomlTable = Readonly<Record<string, TomlValue>>
export type TomlValue = string | readonly string[] | Readonly<Record<string, string>>

/** What a file holds. @throws Refused if it is damaged */
export function parseToml(text: string): Record<string, unknown> {
  return getStaticTOMLValue(treeOf(text))
}

export function treeOf(text: string): AST.TOMLProgram {
  try {
    return parseTOML(text)
  } catch (error) {
    // The parser's message may quote the file.
    if (error instanceof ParseError) throw new Refused(`is damaged at line ${error.lineNumber}; mend it first`)
    throw error
  }
}

/** The whole lines of a part of the text. */
export function withoutLines(text: string, [from, to]: AST.Range): Edit {
  const offset = lineStart(text, from)
  const stop = lineStop(text, to)
  const end = /^\r?\n/.exec(text.slice(stop))?.[0].length ?? 0
  return { offset, length: stop + end - offset, text: '' }
}

/** The names of a key with dots between them. */
export function namesOf({ key }: AST.TOMLKeyValue): string[] {
  return key.keys.map(part => (part.type === 'TOMLBare' ? part.name : part.value))
}

/** The pairs of a table, each as a text. */
export function pairsOf(table: TomlTable): string[] {
  return Object.entries(table).map(([key, value]) => pairText([key], valueText(value)))
}

export function pairText(path: readonly string[], value: string): string {
  return `${pathText(path)} = ${value}`
}

export function pathText(path: readonly string[]): string {
  return path.map(key => (/^[\w-]+$/.test(key) ? key : textOf(key))).join('.')
}

export function valueText(value: TomlValue): string {
  if (typeof value === 'string') return textOf(value)
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`
  return inBraces(Object.entries(value).map(([key, text]) => `${textOf(key)} = ${textOf(text)}`))
}

/** A table on one line. */
export function inBraces(pairs: readonly string[]): string {
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

/** What JSON escapes, TOML escapes alike, but for the character that JSON leaves. */
function textOf(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F')
}
