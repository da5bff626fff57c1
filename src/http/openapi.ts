import type { TSchema } from '@sinclair/typebox'
import { type ErrorCode, errorKinds } from '../kernel/errors.js'
import { streamPaths } from './openapi-streams.js'
import { OnPage, type SchemaExtensions } from '../kernel/schema.js'
import type { RegisteredTool } from '../kernel/kernel.js'
import type { Tool } from '../kernel/tool.js'
import { textArguments } from '../kernel/text-arguments.js'
import { exampleOf } from './openapi-examples.js'
import { EVENTS, groups, groupOf } from './openapi-groups.js'

/** The OpenAPI 3.1 page: every tool, as its definition has it, and the event streams. */
export function openApi(
  tools: ReadonlyArray<Omit<RegisteredTool, 'accept'>>,
  version: string
): Record<string, unknown> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'shared-context-server',
      version,
      description:
        'A shared workspace for AI agents. You call a tool by a POST of a JSON object. Every answer is a JSON object ' +
        'with `success`. MCP clients find the same tools at /mcp. Two addresses send what changes, as server-sent ' +
        'events; read them with GET. Call `authenticate_agent`, then send its token as a bearer token; or send ' +
        'X-API-Key with X-Agent-Id.'
    },
    security: [{ token: [] }, { apiKey: [], agentId: [] }],
    tags: groups([...tools.map(({ capability }) => capability), EVENTS]),
    paths: {
      ...Object.fromEntries(
        tools.map(({ tool, capability }) => [`/mcp/tool/${tool.name}`, { post: operation(tool, groupOf(capability)) }])
      ),
      ...streamPaths()
    },
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        agentId: { type: 'apiKey', in: 'header', name: 'X-Agent-Id' }
      },
      schemas: { Error: errorSchema() }
    }
  }
}

function operation(tool: Tool, group: string): Record<string, unknown> {
  const schema = inputSchema(tool)
  return {
    operationId: tool.name,
    tags: [group],
    summary: tool.title,
    description:
      `${tool.description}\n\nNeeds: ` +
      `${tool.permission === 'none' ? 'no permission' : `the permission \`${tool.permission}\``}.`,
    // Of the tools without a permission, refresh_token and revoke_token need a token; those that read need none.
    ...(tool.credentials === 'own' && { security: [{}] }),
    ...(tool.permission === 'none' &&
      tool.credentials !== 'own' &&
      tool.effect === 'reads' && { security: [{}, { token: [] }, { apiKey: [], agentId: [] }] }),
    requestBody: {
      required: needsBody(tool),
      content: { 'application/json': { schema, example: exampleOf(tool.name, schema) } }
    },
    responses: {
      200: { description: 'Done', content: { 'application/json': { schema: answerSchema(tool) } } },
      default: {
        description: 'Refused or failed',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
      }
    }
  }
}

/** Whether an empty object would be refused. */
function needsBody({ input }: Tool): boolean {
  const needsSome = ({ oneOf, anyOf, allOf = [] }: Record<string, unknown>): boolean =>
    oneOf !== undefined || anyOf !== undefined || (allOf as Array<Record<string, unknown>>).some(needsSome)
  return (input.required ?? []).length > 0 || needsSome((input as SchemaExtensions)[OnPage] ?? {})
}

const WARNINGS = {
  type: 'array',
  items: { type: 'string' },
  description: 'What the sender should think of; absent if there is nothing'
}

/** Whether a tool takes texts that are looked through for secrets. */
function warns({ effect, input }: Tool): boolean {
  return effect !== 'reads' && textArguments(input).length > 0
}

/** A tool's whole answer: its output and `success`. */
export function answerSchema(tool: Tool): Record<string, unknown> {
  const {
    type,
    properties,
    required = []
  } = plain(tool.output) as { type: string; properties: Record<string, unknown>; required?: string[] }
  return {
    type,
    properties: {
      success: { type: 'boolean', enum: [true] },
      ...properties,
      // What is said of secrets (REDACTION), if the tool says nothing of its own.
      ...(warns(tool) && !('warnings' in properties) && { warnings: WARNINGS })
    },
    required: ['success', ...required]
  }
}

/** A tool's arguments, as strictly as JSON Schema can say them. No text holds NUL. */
export function inputSchema(tool: Pick<Tool, 'input'>): Record<string, unknown> {
  return strict(tool.input) as Record<string, unknown>
}

const WITHOUT_NUL = '^[^\\u0000]*$'

function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const { [OnPage]: more = {}, ...keywords } = schema as Record<string, unknown> & SchemaExtensions
  const inner = Object.fromEntries(
    Object.entries({ ...keywords, ...more })
      .filter(([, value]) => value !== undefined)
      .map(([keyword, value]) => [keyword, keyword === 'default' ? value : strict(value)])
  )
  const isFreeText = inner.type === 'string' && inner.enum === undefined && inner.pattern === undefined
  return isFreeText ? { ...inner, pattern: WITHOUT_NUL } : inner
}

/** A TypeBox schema as plain JSON Schema. TypeBox marks schemas with symbols, which JSON leaves out. */
export function plain(schema: TSchema): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema)) as Record<string, unknown>
}

/** The object of every failure (docs/semantics.md, Errors). */
function errorSchema(): Record<string, unknown> {
  return {
    type: 'object',
    properties: {
      success: { type: 'boolean', enum: [false] },
      error: { type: 'string' },
      code: { type: 'string', enum: Object.keys(errorKinds) as ErrorCode[] },
      severity: { type: 'string', enum: ['warning', 'error', 'critical'] },
      recoverable: { type: 'boolean' },
      suggestions: { type: 'array', items: { type: 'string' }, minItems: 1 },
      timestamp: { type: 'string', format: 'date-time' },
      request_id: { type: 'string' },
      context: { type: 'object', additionalProperties: true },
      retry_after: { type: 'integer', description: 'Seconds' }
    },
    required: ['success', 'error', 'code', 'severity', 'recoverable', 'suggestions', 'timestamp', 'request_id']
  }
}
