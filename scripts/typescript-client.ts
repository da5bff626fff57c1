import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TSchema } from '@sinclair/typebox'
import { format, resolveConfig } from 'prettier'
import { describeService } from '../src/commands/describe.js'
import { type ErrorCode, errorKinds } from '../src/kernel/errors.js'
import { takesIdempotencyKey, type Tool } from '../src/kernel/tool.js'
import { declared, SHAPES, tsdoc } from './typescript-types.js'

/**
 * Writes what the TypeScript client knows of the catalogue: the types of arguments and answers, a method for each tool,
 * a class for each error. `npm run docs` writes the files; test/clients compares them with what is committed.
 */

const { tools } = (await describeService()).kernel

const FOLDER = join(import.meta.dirname, '..', 'clients', 'typescript', 'src', 'generated')
const NOTE = '// Generated from the catalogue by `npm run docs`; edit the tools in src/ instead.\n'

const WRITERS = { 'tools.ts': toolTypes, 'methods.ts': methods, 'errors.ts': errorClasses }
export type GeneratedFile = keyof typeof WRITERS
export const GENERATED_FILES = Object.keys(WRITERS) as GeneratedFile[]

/** What a file should be. */
export async function generate(name: GeneratedFile): Promise<string> {
  const path = join(FOLDER, name)
  return format(WRITERS[name](), { ...(await resolveConfig(path)), filepath: path })
}

export function readGenerated(name: GeneratedFile): string {
  return readFileSync(join(FOLDER, name), 'utf8')
}

/** `add_message` → `AddMessage`. */
function pascal(name: string): string {
  return name
    .toLowerCase()
    .split('_')
    .map(part => `${part.charAt(0).toUpperCase()}${part.slice(1)}`)
    .join('')
}

function camel(name: string): string {
  const words = pascal(name)
  return `${words.charAt(0).toLowerCase()}${words.slice(1)}`
}

// --- Types

function toolTypes(): string {
  const shapes = Object.entries(SHAPES).map(([name, shape]) => declared(name, shape, 'output'))
  const types = tools.map(tool => {
    const of = pascal(tool.name)
    return [
      `${tsdoc(`What \`${tool.name}\` takes.`, '')}${declared(`${of}Input`, tool.input, 'input')}`,
      `${tsdoc(`What \`${tool.name}\` answers.`, '')}${declared(`${of}Output`, tool.output, 'output')}`
    ].join('\n')
  })
  const map = tools.map(({ name }) => `  ${name}: { input: ${pascal(name)}Input; output: ${pascal(name)}Output }\n`)
  const lists = tools.flatMap(tool => {
    const items = itemsOf(tool)
    return items === undefined ? [] : [[tool.name, items] as const]
  })
  return [
    NOTE,
    ...shapes,
    ...types,
    `${tsdoc('Every tool, with the types of its arguments and of its answer.', '')}export interface Tools {\n${map.join('')}}\n`,
    `${tsdoc('Which field of an answer holds the items, of the tools that answer page after page.', '')}` +
      `export const LISTS = {\n${lists.map(([name, items]) => `  ${name}: '${items}'`).join(',\n')}\n} as const\n`,
    `${tsdoc('Tools that take an idempotency_key: with one, a call that is repeated happens once.', '')}` +
      setOf('TAKES_KEY', tool => takesIdempotencyKey(tool)),
    `${tsdoc('Tools of which a call must not be repeated: it may have made a secret that nobody got.', '')}` +
      setOf('ONCE', tool => tool.secret === true && tool.effect === 'adds' && !ENDS_BY_ITSELF.has(tool.name))
  ].join('\n')
}

/** A token ends by itself if the answer is lost; a key does not. */
const ENDS_BY_ITSELF = new Set(['authenticate_agent', 'create_token'])

function setOf(name: string, isIn: (tool: Tool) => boolean): string {
  const words = tools.filter(isIn).map(tool => `  '${tool.name}'`)
  return `export const ${name}: ReadonlySet<string> = new Set([\n${words.join(',\n')}\n])\n`
}

/** The field of a paged answer that holds its items. */
function itemsOf({ input, output }: Tool): string | undefined {
  const fields = output.properties as Record<string, TSchema>
  if (!('cursor' in input.properties) || !('next_cursor' in fields)) return undefined
  return Object.keys(fields).find(name => fields[name]?.type === 'array')
}

// --- Methods

function methods(): string {
  const types = tools.flatMap(({ name }) => [`${pascal(name)}Input`, `${pascal(name)}Output`])
  const body = tools.map(tool => {
    const of = pascal(tool.name)
    const needs = tool.permission === 'none' ? 'no permission' : `the permission \`${tool.permission}\``
    const input = (tool.input.required ?? []).length > 0 ? `input: ${of}Input` : `input: ${of}Input = {}`
    return (
      `${tsdoc(`${tool.title}. ${tool.description}\n\nNeeds ${needs}.`, '  ')}` +
      `  ${camel(tool.name)}(${input}, options?: CallOptions): Promise<${of}Output> {\n` +
      `    return this.call('${tool.name}', input, options)\n  }\n`
    )
  })
  return [
    NOTE,
    `import type { CallOptions } from '../options.js'\nimport type {\n${[...types, 'Tools'].map(type => `  ${type}`).join(',\n')}\n} from './tools.js'\n`,
    `${tsdoc('A method for each tool of the service.', '')}export abstract class ToolMethods {`,
    `${tsdoc('Calls a tool by its name. Prefer the methods: they say what they do.', '  ')}` +
      "  abstract call<N extends keyof Tools>(\n    name: N,\n    input: Tools[N]['input'],\n    options?: CallOptions\n  ): Promise<Tools[N]['output']>\n",
    body.join('\n') + '}\n'
  ].join('\n')
}

// --- Errors

function errorClasses(): string {
  const codes = Object.keys(errorKinds) as ErrorCode[]
  const nameOf = (code: ErrorCode) => `${pascal(code)}${code.endsWith('_ERROR') ? '' : 'Error'}`
  const classes = codes.map(
    code => `${tsdoc(errorKinds[code].meaning, '')}export class ${nameOf(code)} extends RefusedError {}\n`
  )
  return [
    NOTE,
    "import { RefusedError } from '../refused-error.js'\n",
    `${tsdoc('The codes by which the service refuses a call.', '')}export type ErrorCode =\n${codes.map(code => `  | '${code}'`).join('\n')}\n`,
    ...classes,
    `${tsdoc('The class of each code.', '')}export const ERRORS: Record<ErrorCode, typeof RefusedError> = {\n${codes
      .map(code => `  ${code}: ${nameOf(code)}`)
      .join(',\n')}\n}\n`
  ].join('\n')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const name of GENERATED_FILES) writeFileSync(join(FOLDER, name), await generate(name))
}
