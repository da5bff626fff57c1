import { callTool } from '../mcp/clients.js'
import { type As, credentials, ok, type TestApp } from '../helper.js'

/** Reads a tool over one front. @returns its answer */
export type Ask = (tool: string, args: Record<string, unknown>) => Promise<any>

/** REST, and MCP of both eras, for one caller. */
export function fronts(app: TestApp, as: As = {}): Record<'REST' | 'MCP of 2025' | 'MCP of 2026', Ask> {
  const mcp =
    (era: 'legacy' | 'modern'): Ask =>
    async (tool, args) => {
      const { said, isError } = await callTool(app, era, tool, args, credentials(as))
      if (isError === true) throw new Error(`${tool}: ${JSON.stringify(said)}`)
      return said
    }
  return {
    REST: (tool, args) => ok(app, tool, args, as),
    'MCP of 2025': mcp('legacy'),
    'MCP of 2026': mcp('modern')
  }
}

/** Every page of a list, from the first to the last. @param between runs after each page */
export async function pagesOf(
  ask: Ask,
  tool: string,
  args: Record<string, unknown>,
  between: (page: any) => unknown = () => {}
): Promise<any[]> {
  const pages: any[] = []
  for (let cursor: string | undefined, more = true; more;) {
    const page = await ask(tool, { ...args, ...(cursor !== undefined && { cursor }) })
    if (page.has_more !== (page.next_cursor !== null)) throw new Error('has_more says something else than next_cursor')
    pages.push(page)
    await between(page)
    more = page.has_more
    cursor = page.next_cursor
  }
  return pages
}

/** Cursors that are not the given one, though much like it: cut, longer, changed, taken apart and put together. */
export function tamperedWith(cursor: string): string[] {
  const [text = '', check = ''] = cursor.split('.')
  const place = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
  const sealed = (value: unknown) => `${Buffer.from(JSON.stringify(value)).toString('base64url')}.${check}`
  return [
    'nonsense',
    cursor.slice(0, -1),
    cursor.slice(1),
    `${cursor}x`,
    `${cursor}.x`,
    text,
    `${text}.`,
    `.${check}`,
    sealed(place.map(part => (typeof part === 'number' ? part + 1 : `${String(part)}0`))),
    sealed([0, ...place]),
    sealed(null),
    sealed({})
  ]
}
