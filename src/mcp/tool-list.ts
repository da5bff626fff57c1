import { TOOLSET_NAMES, type ToolsetName } from '../config/toolset-names.js'
import { allOf, type Permission, PERMISSIONS } from '../kernel/agent.js'
import { answerSchema, plain } from '../http/openapi.js'
import type { Tool } from '../kernel/tool.js'
import { inToolsets } from './toolsets.js'

export const AUTH_TOKEN = 'auth_token'

const authToken = {
  type: 'string',
  description: 'Token'
}

/** What a list of tools depends on. */
export interface Listing {
  /** The permissions of who lists; tools that need another one are left out. */
  permissions: readonly Permission[]
  /** Whether the connection has no credentials of its own, so that calls may bring a token among their arguments. */
  auth_token: boolean
  /** Whether the connection names its agent. */
  named: boolean
  /** Whether the client wants the schemas of answers. They double the list, and a model does not need them. */
  output_schemas: boolean
  toolsets: readonly ToolsetName[]
}

/** Each has up to some hundred kilobytes. */
const LISTS_MAX = 64

export interface McpTool {
  name: string
  title?: string
  description: string
  inputSchema: Record<string, unknown>
  outputSchema?: Record<string, unknown>
  annotations?: Record<string, boolean>
}

/**
 * The lists of `tools/list`, in the order of the catalogue. Each is made when it is first asked for; the last few dozen
 * are kept, since a client may ask for any of some thousand.
 */
export function createToolLists(tools: readonly Tool[]): (listing: Listing) => McpTool[] {
  const lists = new Map<string, McpTool[]>()
  return listing => {
    const { permissions, auth_token, named, output_schemas, toolsets } = listing
    const all = allOf(permissions)
    const sets = TOOLSET_NAMES.filter(one => toolsets.includes(one))
    const name = JSON.stringify([PERMISSIONS.filter(one => all.includes(one)), auth_token, named, output_schemas, sets])
    const cached = lists.get(name)
    if (cached !== undefined) return cached
    const wanted = inToolsets(sets, { named, bare: auth_token })
    const allowed = tools.filter(tool => (tool.permission === 'none' || all.includes(tool.permission)) && wanted(tool))
    const list = allowed.map(tool => describe(tool, listing))
    const oldest = lists.keys().next()
    if (lists.size >= LISTS_MAX && oldest.done !== true) lists.delete(oldest.value)
    lists.set(name, list)
    return list
  }
}

function describe(tool: Tool, { auth_token, named, output_schemas }: Listing): McpTool {
  const { ifNamed, title } = tool
  const input = compact(plain(tool.input)) as { properties: Record<string, unknown> }
  if (ifNamed !== undefined && !named) delete input.properties[ifNamed.argument]
  if (auth_token && tool.credentials !== 'own') input.properties[AUTH_TOKEN] = authToken
  const hints = hintsOf(tool)
  return {
    name: tool.name,
    description: (named ? ifNamed?.description : undefined) ?? tool.description,
    inputSchema: input,
    ...(output_schemas && { outputSchema: outputSchema(tool) }),
    // Without credentials each tool has auth_token as well. What only people read is left out for it.
    ...(auth_token
      ? Object.keys(hints).length > 0 && { annotations: hints }
      : { title, annotations: { ...hints, openWorldHint: false } })
  }
}

/**
 * Hints as the protocol has them. What it takes for given is left out: that a tool may write and destroy, and that a
 * repeat does more. For a tool that only reads, the two others mean nothing.
 */
function hintsOf({ effect, repeatable }: Tool): Record<string, boolean> {
  return {
    ...(effect === 'reads' && { readOnlyHint: true }),
    ...(effect === 'adds' && { destructiveHint: false }),
    ...(effect !== 'reads' && repeatable === true && { idempotentHint: true })
  }
}

/** What a model does not need to choose arguments: descriptions say defaults, and errors name every limit. */
const LEFT_OUT = new Set([
  ...['default', 'pattern', 'minLength', 'maxLength', 'minItems', 'maxItems', 'maxProperties', 'minimum', 'maximum']
])

/** A schema without what is left out, at any depth. Names of properties are kept, whatever they are. */
function compact(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(compact)
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(
    ([keyword, value]) =>
      !LEFT_OUT.has(keyword) &&
      // Arguments that nobody knows are dropped (docs/semantics.md, Errors), and not refused.
      !(keyword === 'additionalProperties' && value === false)
  )
  return Object.fromEntries(
    kept.map(([keyword, value]) => [
      keyword,
      keyword === 'properties'
        ? Object.fromEntries(Object.entries(value as object).map(([name, inner]) => [name, compact(inner)]))
        : // The same, for google-genai: it takes a schema here, and breaks on true.
          keyword === 'additionalProperties' && value === true
          ? {}
          : compact(value)
    ])
  )
}

const warnings = {
  type: 'array',
  items: { type: 'string' },
  description: 'What was wrong with the arguments of the call, though it was made; absent if nothing was'
}

/** Describes a success. A failure has no structured content, which clients would check by this schema. */
function outputSchema(tool: Tool): Record<string, unknown> {
  const schema = answerSchema(tool) as { properties: Record<string, unknown> }
  return { ...schema, properties: { ...schema.properties, warnings } }
}

/** Every tool in words, as Markdown. */
export function toolDocs(tools: readonly Tool[]): string {
  return `# Tools\n\n${tools.map(section).join('\n\n')}\n`
}

function section(tool: Tool): string {
  const { properties, required = [] } = plain(tool.input) as {
    properties: Record<string, Argument>
    required?: string[]
  }
  const lines = Object.entries(properties).map(
    ([name, argument]) => `- \`${name}\`${required.includes(name) ? '' : ' (optional)'}: ${argumentInWords(argument)}`
  )
  const permission = tool.permission === 'none' ? 'no permission' : tool.permission
  const list = lines.length > 0 ? `\n\n${lines.join('\n')}` : ''
  return `## ${tool.name}\n\n${tool.description}\n\nNeeds: ${permission}.${list}`
}

interface Argument {
  type?: string
  enum?: string[]
  default?: unknown
  minimum?: number
  maximum?: number
  description?: string
}

function argumentInWords({
  type = 'any JSON value',
  enum: words,
  default: fallback,
  minimum,
  maximum,
  description
}: Argument): string {
  const kind =
    words !== undefined
      ? words.join(' | ')
      : minimum !== undefined && maximum !== undefined
        ? `${type} ${minimum}-${maximum}`
        : type
  return [kind, fallback !== undefined ? `default ${JSON.stringify(fallback)}` : '', description ?? '']
    .filter(part => part !== '')
    .join('; ')
}
