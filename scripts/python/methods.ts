import type { Types } from './models.js'
import { inputOf, type Operation, type Schema, wrapped } from './schema.js'

export type Style = 'sync' | 'async'

/** A method for a tool, and one more that goes through the pages of a list. */
export function methodsOf(operation: Operation, types: Types, style: Style): string {
  return [method(operation, types, style), ...(types.list === undefined ? [] : [pages(operation, types, style)])].join(
    '\n\n'
  )
}

interface Argument {
  name: string
  type: string
  words: string
  required: boolean
  /** Whether null is a value of it, so that only a word of its own can say that it was not given. */
  nullable: boolean
}

function argumentsOf(operation: Operation, types: Types): Argument[] {
  const { properties = {}, required = [] } = inputOf(operation)
  const all = Object.entries(properties).map(([name, schema]) => ({
    name,
    type: types.arguments.get(name) ?? 'Any',
    words: schema.description ?? '',
    required: required.includes(name),
    nullable: allowsNull(schema)
  }))
  return [...all.filter(({ required }) => required), ...all.filter(({ required }) => !required)]
}

export function allowsNull(schema: Schema): boolean {
  return schema.type === undefined && schema.anyOf?.some(({ type }) => type === 'null') === true
}

function method(operation: Operation, types: Types, style: Style): string {
  const { operationId } = operation
  const given = argumentsOf(operation, types)
  const call = `self.call("${operationId}", ${passed(given)})`
  return [
    ...signature(`${style === 'async' ? 'async ' : ''}def ${operationId}`, given, types.answer),
    ...docstring(operation.description, given),
    `        return cast(${types.answer}, ${style === 'async' ? `await ${call}` : call})`
  ].join('\n')
}

function pages(operation: Operation, types: Types, style: Style): string {
  const { operationId } = operation
  const { field = '', item = '' } = types.list ?? {}
  const given = argumentsOf(operation, types).filter(({ name }) => name !== 'cursor')
  const name = `iter_${operationId.replace(/^(list|get)_/, '')}`
  return [
    ...signature(`def ${name}`, given, `${style === 'async' ? 'AsyncIterator' : 'Iterator'}[${item}]`),
    ...docstring(
      `Goes through all pages of ${operationId}, one item at a time.\n\nlimit is the number of items in one page.`,
      given
    ),
    `        return self.pages("${operationId}", "${field}", ${passed(given)})`
  ].join('\n')
}

function signature(head: string, given: readonly Argument[], returns: string): string[] {
  if (given.length === 0) return [`    ${head}(self) -> ${returns}:`]
  const lines = given.map(({ name, type, required, nullable }) => {
    if (required) return `        ${name}: ${type},`
    return nullable ? `        ${name}: ${type} = NOT_GIVEN,` : `        ${name}: ${optional(type)} = None,`
  })
  return [`    ${head}(`, '        self,', '        *,', ...lines, `    ) -> ${returns}:`]
}

function optional(type: string): string {
  return type === 'Any' || type.endsWith('| None') ? type : `${type} | None`
}

function docstring(description: string, given: readonly Argument[]): string[] {
  const paragraphs = description.split('\n\n').map(words => wrapped(escaped(words), 108))
  const args = given.flatMap(({ name, words }) => {
    const [first = '', ...rest] = wrapped(escaped(`${name}: ${words}`), 104)
    return [`    ${first}`, ...rest.map(line => `        ${line}`)]
  })
  const lines = [
    ...paragraphs.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines])),
    ...(args.length === 0 ? [] : ['', 'Args:', ...args])
  ]
  const [first = '', ...rest] = lines
  if (rest.length === 0) return [`        """${first}"""`]
  return [`        """${first}`, ...rest.map(line => (line === '' ? '' : `        ${line}`)), '        """']
}

/** In Python's strings a backslash and three quotes mean something. */
function escaped(words: string): string {
  return words.replaceAll('\\', '\\\\').replaceAll('"""', "'''")
}

function passed(given: readonly Argument[]): string {
  if (given.length === 0) return '{}'
  const lines = given.map(({ name }) => `            "${name}": ${name},`)
  return ['{', ...lines, '        }'].join('\n')
}
