import { Type } from '@sinclair/typebox'
import { OneOf, Whole } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { countedPage, type Page } from '../store/message-pages.js'
import { Message } from '../../kernel/answer-shapes.js'
import { VisibilityWord } from '../../kernel/message-shapes.js'
import { AgentId, input, Limit, MessageRef, output, Seq, SessionId } from '../../kernel/shapes.js'

export const getMessages = defineTool({
  name: 'get_messages',
  title: 'Read messages',
  description:
    'Messages of a session: the newest, in the order written. To follow it, pass the last last_seq as after_seq.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    session_id: SessionId,
    limit: Limit(50, 1000),
    offset: Type.Optional(
      Whole({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        default: 0,
        description: 'How many to skip'
      })
    ),
    after_seq: Type.Optional(Seq('What became visible to you after this seq; oldest first')),
    before_seq: Type.Optional(Seq('Only before this seq')),
    order: Type.Optional(
      OneOf(['asc', 'desc'], {
        description: 'asc: from the oldest; desc: from the newest'
      })
    ),
    visibility_filter: Type.Optional(VisibilityWord('Only this visibility')),
    sender: Type.Optional(AgentId('Only of this agent')),
    parent_message_id: Type.Optional(MessageRef('Only answers to this one'))
  }),
  output: output({
    messages: Type.Array(Message),
    count: Type.Integer({ description: 'Messages in this answer' }),
    total_count: Type.Integer({
      description: 'Messages that match sender, visibility and parent, in the whole session'
    }),
    total_count_is_estimate: Type.Optional(Type.Boolean()),
    has_more: Type.Boolean(),
    last_seq: Type.Integer({ description: 'The next after_seq: the highest seq this answer has taken account of' })
  }),
  async handler(
    { session_id, limit = 50, offset = 0, after_seq, before_seq, order, visibility_filter, sender, parent_message_id },
    { db, agent }
  ) {
    const filter = { sender, visibility: visibility_filter, parent_message_id }
    // Without a word about order a page is taken from the newest end, unless it follows a cursor, and handed out oldest
    // first.
    const end = order ?? (after_seq === undefined ? 'desc' : 'asc')
    const { total, ...found } = await countedPage(db, agent, session_id, {
      ...filter,
      limit,
      offset,
      after_seq,
      before_seq,
      order: end,
      shown: order ?? 'asc'
    })
    return {
      messages: found.messages,
      count: found.count,
      total_count: total.count,
      ...(total.is_estimate && { total_count_is_estimate: true }),
      has_more: found.has_more,
      last_seq: accountedFor(found, { after_seq, before_seq, offset, end })
    }
  }
})

/**
 * The next cursor: the highest seq up to which the answer leaves nothing out. The session's head if nothing is left
 * over; else the highest that was returned, except where the page was cut between it and the cursor it came from.
 */
function accountedFor(
  found: Page,
  {
    after_seq,
    before_seq,
    offset,
    end
  }: { after_seq?: number; before_seq?: number; offset: number; end: 'asc' | 'desc' }
): number {
  const highest = Math.max(after_seq ?? 0, found.highest ?? 0)
  const cutBelow = end === 'desc' && found.has_more && after_seq !== undefined
  if (cutBelow) return after_seq
  const cutAbove = end === 'asc' ? found.has_more : found.has_more || offset > 0
  if (cutAbove) return highest
  return before_seq === undefined ? found.head : Math.max(after_seq ?? 0, Math.min(found.head, before_seq - 1))
}
