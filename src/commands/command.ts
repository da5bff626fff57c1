import { parseArgs } from 'node:util'
import { variables } from '../config/config.js'
import { nearest } from '../kernel/edit-distance.js'

/** Wrong words on the command line: the program says what is wrong and how it is called, and exits with 2. */
export class UsageError extends Error {}

/** What a command cannot do, in a sentence that says why: the program prints it, and exits with 1. */
export class CommandError extends Error {}

export interface Option {
  type: 'string' | 'boolean'
  /** What stands for the value in the help, such as `<name>`; only of a string. */
  value?: string
  description: string
  required?: true
}

export type Options = Readonly<Record<string, Option>>

type Values<O extends Options> = {
  [Name in keyof O]: O[Name] extends { type: 'boolean' }
    ? boolean
    : O[Name] extends { required: true }
      ? string
      : string | undefined
}

/** What one call of the program can do, such as `keys create`. */
export interface Verb {
  /** What it does, for the help. */
  summary: string
  /** Words it needs besides options, such as `<key_id>`, in their order. */
  operands: readonly string[]
  /** What stands in the help for any number of words after the operands, such as `[client…]`; left out: none may. */
  rest?: string
  options: Options
  /** Whether its help lists the environment variables. */
  listsVariables?: boolean
  run(values: Record<string, string | boolean | undefined>, operands: string[], rest: string[]): Promise<void>
}

/** The verbs of one command by their words; '' is the command without a further word. */
export type Verbs = Readonly<Record<string, Verb>>

/** Describes a verb; `run` gets the options by name, the operands in order, and the words after them. */
export function verb<
  const O extends Options = Record<never, never>,
  const N extends readonly string[] = []
>(described: {
  summary: string
  operands?: N
  rest?: string
  options?: O
  listsVariables?: boolean
  run(values: Values<O>, operands: { [Index in keyof N]: string }, rest: string[]): Promise<void>
}): Verb {
  return { operands: [], options: {}, ...described } as Verb
}

/** Options that several verbs have. */
export const WORKSPACE = { type: 'string', value: '<name>', description: 'the workspace; default: default' } as const
export const YES = { type: 'boolean', description: 'do it without asking' } as const
export const JSON_OUTPUT = { type: 'boolean', description: 'print JSON, one object on each line' } as const

export function isHelp(word: string | undefined): boolean {
  return word === '--help' || word === '-h'
}

/**
 * Finds the verb that the words begin with.
 * @returns its words, such as `audit set`, and the arguments after them
 * @throws UsageError if there is none
 */
export function findVerb(verbs: Verbs, words: readonly string[]): { name: string; args: string[] } {
  const end = words.findIndex(word => word.startsWith('-'))
  const plain = end < 0 ? words : words.slice(0, end)
  const names = Object.keys(verbs).filter(name => name !== '')
  for (let count = Math.min(2, plain.length); count >= 0; count--) {
    const name = plain.slice(0, count).join(' ')
    // Of `migrate sideways` the word is a wrong verb, not one too many.
    const isWrongVerb = count === 0 && plain.length > 0 && names.length > 0
    // An empty word, as of a variable that is not set, does not name the verb without a word.
    const isEmptyWord = count > 0 && name === ''
    if (Object.hasOwn(verbs, name) && !isEmptyWord && !isWrongVerb) return { name, args: words.slice(count) }
  }
  if (plain[0] === undefined) throw new UsageError(`Say what to do: ${names.join(', ')}.`)
  throw new UsageError(`'${plain[0]}' is none of ${names.join(', ')}.${meant(plain[0], names)}`)
}

/**
 * Reads the arguments of a verb by its description.
 * @throws UsageError that says what is wrong with them
 */
export function parseWords(described: Verb, args: string[]): Parameters<Verb['run']> {
  const { options, operands: expected } = described
  const { tokens } = parseArgs({ args, options: { ...options }, strict: false, allowPositionals: true, tokens: true })
  const values: Record<string, string | boolean | undefined> = {}
  const operands: string[] = []
  for (const [name, { type }] of Object.entries(options)) if (type === 'boolean') values[name] = false
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (option === undefined) throw new UsageError(unknownOption(token.rawName, token.name, described))
    if (values[token.name] !== undefined && values[token.name] !== false)
      throw new UsageError(`${token.rawName} is there twice.`)
    if (option.type === 'boolean') {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value.`)
      values[token.name] = true
      continue
    }
    if (token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('-')))
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${option.value ?? '<value>'}.`)
    values[token.name] = token.value
  }
  const missing = [
    ...expected.slice(operands.length),
    ...Object.entries(options)
      .filter(([name, { required }]) => required === true && values[name] === undefined)
      .map(([name, { value = '<value>' }]) => `--${name} ${value}`)
  ]
  if (missing.length > 0) throw new UsageError(`Missing: ${missing.join(', ')}.`)
  const rest = operands.splice(expected.length)
  const [surplus] = rest
  if (surplus !== undefined && described.rest === undefined) throw new UsageError(`'${surplus}' is one word too many.`)
  return [values, operands, rest]
}

/** Of `--port 99999` it says how a variable is set, which is what the caller wants. */
function unknownOption(rawName: string, name: string, { options, operands }: Verb): string {
  const variable = name.replaceAll('-', '_').toUpperCase()
  if (variables.some(({ name, alias }) => name === variable || alias === variable))
    return `There is no option ${rawName}. Set the environment variable ${variable} instead.`
  const near = meant(name, Object.keys(options), '--')
  const asWord = near === '' && operands.length > 0 ? ' Write -- before words that begin with -.' : ''
  return `There is no option ${rawName}.${near}${asWord}`
}

/** `Did you mean …?`, if a known word is near. */
export function meant(given: string, known: Iterable<string>, before = ''): string {
  const word = nearest(given, known)
  return word === undefined ? '' : ` Did you mean ${before}${word}?`
}
