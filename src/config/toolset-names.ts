import { list } from './values.js'

/** Parts of the list of tools that MCP clients may ask for. src/mcp/toolsets.ts says what is in each. */
export const TOOLSET_NAMES = [
  'core',
  'inbox',
  'tasks',
  'leases',
  'memory',
  'sessions',
  'identity',
  'admin',
  'all'
] as const
export type ToolsetName = (typeof TOOLSET_NAMES)[number]

export const DEFAULT_TOOLSETS: readonly ToolsetName[] = ['core', 'inbox', 'tasks']

/** @throws Error as a Reader does */
export function toolsets(text: string): ToolsetName[] {
  const names = list(text.toLowerCase())
  if (names.length === 0 || !names.every(isToolset))
    throw new Error(`must be one or more of ${TOOLSET_NAMES.join(', ')}, separated by commas`)
  return names
}

function isToolset(name: string): name is ToolsetName {
  return (TOOLSET_NAMES as readonly string[]).includes(name)
}
