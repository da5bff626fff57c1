import { Type } from '@sinclair/typebox'
import { Allowed, Checked, EmptyIsAbsent, OnPage, Repair } from '../kernel/schema.js'
import { CONTROLS } from '../kernel/shapes.js'
import { characters, composed, hasControlCharacters, hasUnseenCharacters } from '../kernel/text.js'

/** Names of namespaces: `team/plans`. In the database a namespace is a path, `/team/plans/`. */

const PARTS_MAX = 8
const PART_MAX = 100
/** Characters of the longest. */
export const NAMESPACE_MAX = PARTS_MAX * (PART_MAX + 1) - 1
/** Bytes as UTF-8, so that a path and a key fit into one entry of an index. */
const BYTES_MAX = 1000

const PART_PATTERN = `[^/${CONTROLS}]{1,${PART_MAX}}`

function isNamespace(value: unknown): boolean {
  if (typeof value !== 'string' || Buffer.byteLength(value) > BYTES_MAX) return false
  const parts = value.split('/')
  return parts.length <= PARTS_MAX && parts.every(isPart)
}

function isPart(part: string): boolean {
  const length = characters(part)
  return length >= 1 && length <= PART_MAX && !hasControlCharacters(part) && !hasUnseenCharacters(part)
}

export const Namespace = (description: string) =>
  Checked<string>({ type: 'string', minLength: 1, maxLength: NAMESPACE_MAX, description }, isNamespace, {
    [EmptyIsAbsent]: true,
    [OnPage]: { pattern: `^${PART_PATTERN}(/${PART_PATTERN}){0,${PARTS_MAX - 1}}$` },
    [Repair]: value => (typeof value === 'string' ? composed(value) : value),
    [Allowed]:
      `1 to ${PARTS_MAX} parts joined by /, each of 1 to ${PART_MAX} characters that are seen, ` +
      `at most ${BYTES_MAX} bytes together`
  })

export const OptionalNamespace = (description: string) => Type.Optional(Namespace(description))

export function pathOf(namespace: string): string {
  return `/${namespace}/`
}

export function namespaceOf(path: string): string {
  return path.slice(1, -1)
}

/** Whether a scope is a namespace's path. No session's id begins with a slash. */
export function isPath(scope: string): boolean {
  return scope.startsWith('/')
}

/** The path of the first part, which pays for all below it. */
export function rootOf(path: string): string {
  return path.slice(0, path.indexOf('/', 1) + 1)
}

/** The paths whose rights reach down to this one, itself last. */
export function withAbove(path: string): string[] {
  const paths: string[] = []
  for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) paths.push(path.slice(0, end + 1))
  return paths
}
