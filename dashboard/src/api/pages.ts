/** What every list of the service answers beside its items. */
interface Page {
  has_more: boolean
  next_cursor: string | null
}

/**
 * Reads a list page after page.
 * @param read one page, from a cursor on; the first has none
 * @param most how many pages at most
 * @returns the pages, and whether there are more
 */
export async function readPages<P extends Page>(
  read: (from: { cursor?: string }) => Promise<P>,
  most = Infinity
): Promise<{ pages: P[]; has_more: boolean }> {
  const pages: P[] = []
  for (let from: { cursor?: string } = {}; ;) {
    const page = await read(from)
    pages.push(page)
    if (!page.has_more || page.next_cursor === null) return { pages, has_more: false }
    if (pages.length >= most) return { pages, has_more: true }
    from = { cursor: page.next_cursor }
  }
}
