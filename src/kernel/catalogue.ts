import { type Accept, compileAccept } from './accept.js'
import type { Tool } from './tool.js'

/** The tools in their fixed order, each with its input check compiled once. */
export interface Catalogue {
  tools: readonly Tool[]
  find: (name: string) => Entry | undefined
}

export interface Entry {
  tool: Tool
  accept: Accept<Record<string, unknown>>
}

export function createCatalogue(tools: readonly Tool[]): Catalogue {
  const entries = new Map<string, Entry>(tools.map(tool => [tool.name, { tool, accept: compileAccept(tool.input) }]))
  return { tools, find: name => entries.get(name) }
}
