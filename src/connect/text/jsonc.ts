import { createScanner, type Node, type ParseError, parseTree, getNodeValue, printParseErrorCode } from 'jsonc-parser'
import { ascending, type Edit, indentAt, lineEnd, lineStart } from './edits.js'
import { Refused } from './refused.js'

/**
 * Edits of JSON with comments and trailing commas, as small as can be: what is not named stays, character by character.
 * `modify` of jsonc-parser is not used, because it formats what stands beside a change.
 */

/** Kinds of tokens of jsonc-parser's scanner, whose own names are a const enum that does not exist when this runs. */
const COMMA = 5
const LINE_COMMENT = 12
const BLOCK_COMMENT = 13
const LINE_BREAK = 14
const SPACE = 15
const END = 17

/** What a file holds; an empty one holds nothing. @throws Refused if it is damaged */
export function parseJsonc(text: string): unknown {
  const root = rootOf(text)
  return root === undefined ? undefined : (getNodeValue(root) as unknown)
}

/** @throws Refused */
function rootOf(text: string): Node | undefined {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true })
  const [first] = errors
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split('\n').length
    throw new Refused(`is damaged at line ${line} (${printParseErrorCode(first.error)}); mend it first`)
  }
  if (root !== undefined && root.type !== 'object') throw new Refused('holds no JSON object')
  return root
}

/** Edits that put a value at a path of keys, and make the objects on the way. The last key must not be there yet. */
export function insertAt(text: string, path: readonly string[], value: unknown): Edit[] {
  const root = rootOf(text)
  if (root === undefined) return insertRoot(text, nest(path, value))
  const { node, rest } = descend(root, path)
  const [key, ...below] = rest
  if (key === undefined) throw new Refused(`holds ${path.join('.')} already`)
  return insertChild(text, node, nest(below, value), key)
}

/** Edits that put an item at the end of the array at a path, which is made if it is missing. */
export function appendAt(text: string, path: readonly string[], item: unknown): Edit[] {
  const root = rootOf(text)
  if (root === undefined) return insertRoot(text, nest(path, [item]))
  const array = find(root, path)
  if (array === undefined) return insertAt(text, path, [item])
  if (array.type !== 'array') throw new Refused(`holds ${path.join('.')}, which is no list`)
  return insertChild(text, array, item)
}

/** Edits that exchange the value at a path. */
export function replaceAt(text: string, path: readonly (string | number)[], value: unknown): Edit[] {
  const root = rootOf(text)
  const node = root && find(root, path)
  if (node === undefined) throw new Refused(`lacks ${path.join('.')}`)
  const { offset, length } = node
  const written = format(value, indentAt(text, offset), unitOf(text, root), lineEnd(text))
  return [{ offset, length, text: isOneLine(text, node) ? oneLine(value) : written }]
}

/** Edits that take out the value at a path, with its key, its comma and its line. */
export function removeAt(text: string, path: readonly (string | number)[]): Edit[] {
  const root = rootOf(text)
  const found = root && find(root, path)
  if (found === undefined) return []
  const child = found.parent?.type === 'property' ? found.parent : found
  const siblings = child.parent?.children ?? []
  const index = siblings.indexOf(child)
  const previous = siblings[index - 1]
  const comma = commaAfter(text, endOf(child), endOf(child.parent as Node))
  const end = comma === undefined ? endOf(child) : comma + 1
  // A child with a line of its own goes with the line's break, one among others with the space before it.
  const before = text.slice(0, child.offset)
  const space = /\r?\n[ \t]*$|[ \t]*$/.exec(before)?.[0] ?? ''
  const isFirst = previous === undefined && !space.includes('\n')
  const edits: Edit[] = [
    isFirst
      ? { offset: child.offset, length: end - child.offset + blanksAt(text, end), text: '' }
      : { offset: child.offset - space.length, length: end - child.offset + space.length, text: '' }
  ]
  // The last one without a comma after it: now the one before it is the last.
  if (previous !== undefined && index === siblings.length - 1 && comma === undefined) {
    const offset = commaAfter(text, endOf(previous), child.offset) as number
    const first = edits[0] as Edit
    if (offset === first.offset - 1) edits[0] = { offset, length: first.length + 1, text: '' }
    else edits.push({ offset, length: 1, text: '' })
  }
  return ascending(edits)
}

function blanksAt(text: string, offset: number): number {
  return /^[ \t]*/.exec(text.slice(offset))?.[0].length ?? 0
}

/** The deepest object on a path that is there, and the keys that are missing below it. */
function descend(root: Node, path: readonly string[]): { node: Node; rest: string[] } {
  let node = root
  for (const [index, key] of path.entries()) {
    if (node.type !== 'object') throw new Refused(`holds ${path.slice(0, index).join('.')}, which is no object`)
    const next = childOf(node, key)
    if (next === undefined) return { node, rest: path.slice(index) }
    node = next
  }
  return { node, rest: [] }
}

function find(root: Node, path: readonly (string | number)[]): Node | undefined {
  let node: Node | undefined = root
  for (const key of path) node = node && childOf(node, key)
  return node
}

function childOf(node: Node, key: string | number): Node | undefined {
  if (typeof key === 'number') return node.type === 'array' ? node.children?.[key] : undefined
  if (node.type !== 'object') return undefined
  const found = node.children?.filter(property => property.children?.[0]?.value === key) ?? []
  // Programs take the first or the last: an edit of one of them might do nothing.
  if (found.length > 1) throw new Refused(`holds "${key}" twice; mend it first`)
  return found[0]?.children?.[1]
}

function insertRoot(text: string, value: unknown): Edit[] {
  const end = lineEnd(text)
  const before = text === '' || text.endsWith('\n') ? '' : end
  return [{ offset: text.length, length: 0, text: `${before}${format(value, '', '  ', end)}${end}` }]
}

/** Adds a child at the end of an object (with its key) or of an array. */
function insertChild(text: string, parent: Node, value: unknown, key?: string): Edit[] {
  const last = parent.children?.at(-1)
  const end = lineEnd(text)
  const unit = unitOf(text, root(parent))
  const name = key === undefined ? '' : `${JSON.stringify(key)}: `
  if (last !== undefined && isOneLine(text, parent)) {
    const comma = commaAfter(text, endOf(last), endOf(parent))
    return [
      comma === undefined
        ? { offset: endOf(last), length: 0, text: `, ${name}${oneLine(value)}` }
        : { offset: comma + 1, length: 0, text: ` ${name}${oneLine(value)},` }
    ]
  }
  if (last === undefined) {
    const outer = indentAt(text, parent.offset)
    const offset = emptyEnd(text, parent)
    const closes = text.slice(offset, endOf(parent)).includes('\n') ? '' : `${end}${outer}`
    const written = `${end}${outer}${unit}${name}${format(value, outer + unit, unit, end)}`
    return [{ offset, length: 0, text: written + closes }]
  }
  const indent = startsLine(text, last) ? indentAt(text, last.offset) : indentAt(text, parent.offset) + unit
  const written = `${end}${indent}${name}${format(value, indent, unit, end)}`
  const comma = commaAfter(text, endOf(last), endOf(parent))
  // What explains the last one on its line stays with it.
  if (comma !== undefined) return [{ offset: remarkEnd(text, comma + 1), length: 0, text: `${written},` }]
  const offset = remarkEnd(text, endOf(last))
  if (offset === endOf(last)) return [{ offset, length: 0, text: `,${written}` }]
  return [
    { offset: endOf(last), length: 0, text: ',' },
    { offset, length: 0, text: written }
  ]
}

function root(node: Node): Node {
  return node.parent === undefined ? node : root(node.parent)
}

const endOf = ({ offset, length }: Node): number => offset + length

function isOneLine(text: string, { offset, length }: Node): boolean {
  return !text.slice(offset, offset + length).includes('\n')
}

function startsLine(text: string, { offset }: Node): boolean {
  return lineStart(text, offset) + indentAt(text, offset).length === offset
}

/** The offset of the comma between two places, comments left out. */
function commaAfter(text: string, from: number, to: number): number | undefined {
  const scanner = createScanner(text.slice(from, to))
  for (let kind: number = scanner.scan(); kind !== END; kind = scanner.scan())
    if (kind === COMMA) return from + scanner.getTokenOffset()
  return undefined
}

/** Where the comments end that stand on the same line after an offset; the offset itself if there are none. */
function remarkEnd(text: string, from: number): number {
  const scanner = createScanner(text.slice(from))
  let end = from
  for (let kind: number = scanner.scan(); kind !== END && kind !== LINE_BREAK; kind = scanner.scan()) {
    if (kind === LINE_COMMENT) return from + scanner.getTokenOffset() + scanner.getTokenLength()
    if (kind === BLOCK_COMMENT) end = from + scanner.getTokenOffset() + scanner.getTokenLength()
    else if (kind !== SPACE) break
  }
  return end
}

/** Where something can be put into an object or array without children: after its comments, if it has some. */
function emptyEnd(text: string, { offset, length }: Node): number {
  const inside = text.slice(offset + 1, offset + length - 1)
  return offset + 1 + inside.trimEnd().length
}

/** One step of indentation, as the file has it. */
function unitOf(text: string, root: Node | undefined): string {
  const first = root?.children?.[0]
  const indent = first && startsLine(text, first) ? indentAt(text, first.offset) : ''
  return indent === '' ? '  ' : indent
}

function format(value: unknown, indent: string, unit: string, end: string): string {
  return JSON.stringify(value, null, unit).replaceAll('\n', `${end}${indent}`)
}

function oneLine(value: unknown): string {
  // The breaks that JSON.stringify writes are the only ones: those in texts are escaped.
  return JSON.stringify(value, null, 1).replaceAll(/\n */g, ' ').replaceAll(/\{ \}/g, '{}')
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value)
}
