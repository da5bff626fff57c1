/** Serves MCP over stdio. */
export async function mcp (): Promise<void> {
  throw new Error('to be written')
}
