import type { Db } from '../postgres/schema.js'
import { type Mentioned, mentionedIn } from './store/mentioned.js'
import type { MessagesRequest } from './store/message-batch.js'
import type { MessageWriter } from './store/message-writer.js'
import type { Written } from './store/messages.js'

/**
 * Writes a call's messages, and says whom they mention. A repeated call gets what the first one was told, although
 * agents have come since then: so with an idempotency_key the answer is made first, and kept with the messages.
 * @throws what MessageWriter.write throws
 */
export async function writeAndName(
  writer: MessageWriter,
  db: Db,
  request: MessagesRequest
): Promise<{ written: Written[]; mentioned: Mentioned }> {
  const naming = mentionedIn(
    db,
    request.sender,
    request.session_id,
    request.drafts.map(({ content }) => content)
  )
  if (request.idempotencyKey === undefined) {
    const [written, mentioned] = await Promise.all([writer.write(request), naming])
    return { written, mentioned }
  }
  const mentioned = await naming
  const written = await writer.write({ ...request, mentioned })
  return { written, mentioned: written[0]?.mentioned ?? mentioned }
}
