import { Type } from '@sinclair/typebox'
import { pageFields } from '../../kernel/answer-shapes.js'
import { Cursor, input, Limit, OptionalSessionId, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import type { Unscoped } from '../../postgres/scope.js'
import { markAnswerRead, readInbox } from '../inbox-reader.js'
import { InboxMessage, MarkRead } from '../inbox-shapes.js'

export const getInbox = (database: Unscoped) =>
  defineTool({
    name: 'get_inbox',
    title: 'Read your inbox',
    description: 'What is addressed to you or mentions you, in all sessions: unacknowledged first, then newest first.',
    permission: 'read',
    // It writes with mark_read.
    effect: 'adds',
    commits: 'batch',
    input: input({
      unread_only: Type.Optional(Type.Boolean({ default: false, description: 'Only unread ones' })),
      unacked_only: Type.Optional(Type.Boolean({ default: false, description: 'Only unacknowledged ones' })),
      session_id: OptionalSessionId('all'),
      limit: Limit(20, 200),
      cursor: Cursor,
      mark_read: MarkRead
    }),
    output: output({ messages: Type.Array(InboxMessage), ...pageFields }),
    audit: ({ session_id }) => ({ event_type: 'inbox_read', session_id }),
    async handler({ mark_read = false, ...given }, { db, agent, receipt }) {
      const { unread_only = false, unacked_only = false, limit = 20, session_id, cursor } = given
      const answer = await readInbox(db, agent, { unread_only, unacked_only, limit, session_id, cursor })
      return { ...(mark_read ? await markAnswerRead(database, agent, answer, { unread_only }, receipt) : answer) }
    }
  })
