import { answerSchema, errorSchema, plain } from '../core/openapi.js'
import type { Tool } from '../core/tool.js'

export const AUTH_TOKEN = 'auth_token'

const authToken = { type: 'string', description: 'The token authenticate_agent returned, if you cannot send it as an Authorization header' }

/** `tools/list`, computed once: for connections that have credentials of their own, and for those that have none. */
export function describeTools (tools: readonly Tool[]): { authenticated: McpTool[], bare: McpTool[] } {
  return { authenticated: tools.map(tool => describe(tool, false)), bare: tools.map(tool => describe(tool, tool.credentials !== 'own')) }
}

export interface McpTool {
  name: string
  title: string
  description: string
  inputSchema: Record<string, unknown>
  outputSchema: Record<string, unknown>
  annotations: Record<string, boolean | string>
}

function describe (tool: Tool, takesToken: boolean): McpTool {
  const input = plain(tool.input) as { properties: Record<string, unknown> }
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: takesToken ? { ...input, properties: { ...input.properties, [AUTH_TOKEN]: authToken } } : input,
    outputSchema: outputSchema(tool),
    annotations: {
      title: tool.title,
      readOnlyHint: tool.effect === 'reads',
      destructiveHint: tool.effect === 'replaces',
      idempotentHint: tool.effect === 'reads' || tool.repeatable === true,
      openWorldHint: false
    }
  }
}

/**
 * The answer or the error object. The SDK of 2025 holds structured content against the output schema also where isError is
 * set, so a schema of the answer alone would turn every refusal into a fault of the protocol.
 */
function outputSchema (tool: Tool): Record<string, unknown> {
  const answer = answerSchema(tool) as { properties: Record<string, unknown>, required: string[] }
  const failure = errorSchema() as { properties: Record<string, unknown>, required: string[] }
  return {
    type: 'object',
    properties: { ...failure.properties, ...answer.properties, success: { type: 'boolean' } },
    required: ['success'],
    anyOf: [
      { properties: { success: { const: true } }, required: answer.required },
      { properties: { success: { const: false } }, required: failure.required }
    ]
  }
}
