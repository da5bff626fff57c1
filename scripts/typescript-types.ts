import type { TObject, TSchema } from '@sinclair/typebox'
import { Message, Session, SessionSummary } from '../src/kernel/answer-shapes.js'
import { allowed } from '../src/kernel/argument-errors.js'
import { AnyValueField, type SchemaExtensions } from '../src/kernel/schema.js'
import { plain } from '../src/http/openapi.js'
import { InboxMessage } from '../src/inbox/inbox-shapes.js'
import { Lease, Task } from '../src/tasks/task-shapes.js'

/** Prints schemas of the catalogue as TypeScript that stands alone. */

/** What many answers hold has a name: an editor then shows the name, not forty lines. */
export const SHAPES: Record<string, TObject> = {
  Message,
  SessionSummary,
  Session,
  InboxMessage,
  Task,
  TaskLease: Lease
}

const names = new Map(Object.entries(SHAPES).map(([name, shape]) => [textOf(shape), name]))

function textOf(schema: TSchema): string {
  return JSON.stringify(plain(schema))
}

/** The type of a value that the schema describes. */
function typeOf(schema: TSchema, indent: string, of: 'input' | 'output'): string {
  const name = names.get(textOf(schema))
  return name ?? inlineType(schema, indent, of)
}

function inlineType(schema: TSchema, indent: string, of: 'input' | 'output'): string {
  if (JSON.stringify(schema.anyOf) === JSON.stringify(AnyValueField.anyOf)) return 'unknown'
  if (Array.isArray(schema.anyOf)) {
    const types = (schema.anyOf as TSchema[]).map(each => typeOf(each, indent, of))
    if (types.includes('unknown')) return 'unknown'
    // The server also takes an object as text, since models send that; a program has no reason to.
    const isAlsoText = of === 'input' && types.length === 2 && types.some(type => type.startsWith('Record<'))
    return types.filter(type => !isAlsoText || type !== 'string').join(' | ')
  }
  if (Array.isArray(schema.enum)) return schema.enum.map(word => `'${String(word)}'`).join(' | ')
  if (schema.const !== undefined) return typeof schema.const === 'string' ? `'${schema.const}'` : String(schema.const)
  switch (schema.type) {
    case 'string':
      return 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array': {
      const item = typeOf(schema.items as TSchema, indent, of)
      return /[ {]/.test(item) ? `Array<${item}>` : `${item}[]`
    }
    case 'object':
      return objectType(schema as TObject, indent, of)
    default:
      return 'unknown'
  }
}

function objectType(schema: TObject, indent: string, of: 'input' | 'output'): string {
  if (schema.properties === undefined) {
    const values = schema.additionalProperties
    const value = typeof values === 'object' ? typeOf(values, indent, of) : 'unknown'
    return `Record<string, ${value}>`
  }
  return `{\n${fieldsOf(schema, `${indent}  `, of)}${indent}}`
}

/** A declaration of an object's type. */
export function declared(name: string, schema: TObject, of: 'input' | 'output'): string {
  const isEmpty = Object.keys(schema.properties).length === 0
  return isEmpty
    ? `export type ${name} = Record<string, never>\n`
    : `export interface ${name} {\n${fieldsOf(schema, '  ', of)}}\n`
}

/** The fields of an object, each a line with its words above it. */
function fieldsOf(schema: TObject, indent: string, of: 'input' | 'output'): string {
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties as Record<string, TSchema & SchemaExtensions>)
    .map(([name, field]) => {
      const words = of === 'input' ? argumentWords(field) : field.description
      const type = typeOf(field, indent, of)
      // Undefined is left out of JSON, so passing it is the same as not passing the argument.
      const optional = required.has(name) ? `: ${type}` : of === 'input' ? `?: ${orUndefined(type)}` : `?: ${type}`
      return `${tsdoc(words, indent)}${indent}${name}${optional}\n`
    })
    .join('')
}

function orUndefined(type: string): string {
  return type === 'unknown' ? type : `${type} | undefined`
}

function argumentWords(field: TSchema & SchemaExtensions): string {
  const what = allowed(field)
  const limits = `${what.charAt(0).toUpperCase()}${what.slice(1)}`
  const fallback = field.default === undefined ? '' : ` Default: \`${JSON.stringify(field.default)}\`.`
  const words = field.description?.replace(/ \(default .*\)$/, '').replace(/\.$/, '')
  return `${words === undefined ? '' : `${words}. `}${limits}.${fallback}`
}

const LINE_MAX = 116

/** A comment for the editor, in lines of a length that can be read; nothing for no words. */
export function tsdoc(words: string | undefined, indent: string): string {
  if (words === undefined || words === '') return ''
  const safe = words.replaceAll('*/', '*\\/')
  if (indent.length + safe.length + 7 <= LINE_MAX && !safe.includes('\n')) return `${indent}/** ${safe} */\n`
  const lines = safe.split('\n').flatMap(line => folded(line, LINE_MAX - indent.length - 3))
  return `${indent}/**\n${lines.map(line => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`
}

function folded(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string
    // A line that begins with @ would be taken for a tag.
    if (last !== '' && last.length + 1 + word.length > width && !word.startsWith('@')) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}
