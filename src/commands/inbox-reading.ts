import type { Tools } from '../../clients/typescript/src/index.js'

type Inbox = Tools['get_inbox']['output']

/**
 * Reads an inbox twice, the second time so that it counts as read: an answer that comes too late, or never, has taken
 * nothing away. What the first answer holds was got in any case.
 * @param read asks for the inbox
 * @returns what to show, and why it does not count as read, if it does not
 */
export async function readAndMark(
  read: (mark_read: boolean) => Promise<Inbox>
): Promise<{ inbox: Inbox; error?: Error }> {
  const seen = await read(false)
  if (seen.messages.length === 0) return { inbox: seen }
  try {
    // It may hold what has come meanwhile.
    return { inbox: await read(true) }
  } catch (error) {
    return { inbox: seen, error: error as Error }
  }
}
