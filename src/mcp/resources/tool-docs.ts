import { plain } from '../../http/openapi.js'
import type { Tool } from '../../kernel/tool.js'
import type { Resource } from './resource.js'

/** Every tool in words, written once. */
export function toolDocs(tools: readonly Tool[]): Resource {
  const text = `# Tools\n\n${tools.map(section).join('\n\n')}\n`
  return {
    name: 'tool-docs',
    title: 'The tools',
    description: 'Every tool with its arguments and the permission it needs',
    mimeType: 'text/markdown',
    uri: 'docs://tools',
    read: () => text
  }
}

function section(tool: Tool): string {
  const { properties, required = [] } = plain(tool.input) as {
    properties: Record<string, Argument>
    required?: string[]
  }
  const lines = Object.entries(properties).map(
    ([name, argument]) => `- \`${name}\`${required.includes(name) ? '' : ' (optional)'}: ${describe(argument)}`
  )
  const permission = tool.permission === 'none' ? 'no permission' : tool.permission
  const list = lines.length > 0 ? `\n\n${lines.join('\n')}` : ''
  return `## ${tool.name}\n\n${tool.description}\n\nNeeds: ${permission}.${list}`
}

interface Argument {
  type?: string
  enum?: string[]
  minimum?: number
  maximum?: number
  description?: string
}

function describe({ type = 'any JSON value', enum: words, minimum, maximum, description }: Argument): string {
  const kind =
    words !== undefined
      ? words.join(' | ')
      : minimum !== undefined && maximum !== undefined
        ? `${type} ${minimum}-${maximum}`
        : type
  return description === undefined ? kind : `${kind}; ${description}`
}
