import type { ToolContext } from '../kernel/tool.js'
import { TYPE_PREFIX } from '../kernel/addresses.js'
import { wait, type WaitDeps } from '../feed/wait.js'
import { firstReply } from './store/replies.js'
import type { MessageRow } from '../messages/store/messages.js'

/** A question whose answer is waited for. */
export interface Question {
  id: number
  session_id: string
  seq: number
  /** Whose answer counts: agent_ids, and types behind `type:`. */
  to: readonly string[]
}

/** Whether a message is an answer of one of those who were asked. */
function isReply({ id, to }: Question, { parent_message_id, sender, sender_type }: MessageRow): boolean {
  return parent_message_id === id && (to.includes(sender) || to.includes(`${TYPE_PREFIX}${sender_type}`))
}

/**
 * Waits for the first answer, as wait_for_messages waits: as one who follows the session. A closed session takes no
 * answer: then there is nothing to wait for.
 * @throws AppError as ConcurrencyLimit does; SESSION_NOT_FOUND, or what ended the asker's rights
 */
export async function waitForReply(
  question: Question,
  timeout_seconds: number,
  { db, agent, caller }: Pick<ToolContext<'read'>, 'db' | 'agent' | 'caller'>,
  deps: WaitDeps
): Promise<{ reply: MessageRow | null; timed_out: boolean }> {
  const started = performance.now()
  const { reply, head, is_active: is_open } = await firstReply(db, agent, question)
  if (reply !== undefined) return { reply, timed_out: false }
  if (!is_open) return { reply: null, timed_out: false }
  let cursor = head
  for (;;) {
    const { messages, last_seq, timed_out, is_active } = await wait(
      {
        session_id: question.session_id,
        cursor,
        is_active: true,
        limit: 1,
        maxChanges: undefined,
        wanted: change => change.type === 'message_added' && isReply(question, change.message),
        started,
        total_ms: timeout_seconds * 1000
      },
      { db, agent, caller } as ToolContext<'read'>,
      deps
    )
    const [found] = messages
    if (found !== undefined) return { reply: found, timed_out: false }
    if (timed_out || !is_active) return { reply: null, timed_out }
    cursor = last_seq
  }
}
