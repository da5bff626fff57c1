import { Type } from '@sinclair/typebox'
import { pageFields } from '../../kernel/answer-shapes.js'
import { input, Limit, OptionalSessionId, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import type { Live } from '../../feed/live.js'
import { refuseLongWait, type WaitUntilDeps, waitUntil } from '../../feed/wait-until.js'
import type { Unscoped } from '../../postgres/scope.js'
import { readSessionOrThrow } from '../../sessions/store/sessions.js'
import { type InboxAnswer, markAnswerRead, readInbox } from '../inbox-reader.js'
import { InboxMessage, MarkRead, TIMEOUT_DEFAULT, TimeoutSeconds } from '../inbox-shapes.js'

export interface InboxWaitDeps extends WaitUntilDeps {
  database: Unscoped
  live: Live
}

const NOTHING: InboxAnswer = { messages: [], count: 0, has_more: false, next_cursor: null }

export const waitForInbox = ({ database, live, ...waiting }: InboxWaitDeps) =>
  defineTool({
    name: 'wait_for_inbox',
    title: 'Wait for your inbox',
    description:
      'Wait until your inbox holds something unacknowledged. To get each message once, acknowledge it, or pass ' +
      'unread_only and mark_read.',
    permission: 'read',
    // It writes with mark_read.
    effect: 'adds',
    commits: 'batch',
    input: input({
      unread_only: Type.Optional(Type.Boolean({ default: false, description: 'Only unread ones' })),
      unacked_only: Type.Optional(Type.Boolean({ default: true, description: 'false: acknowledged ones too' })),
      session_id: OptionalSessionId('all'),
      limit: Limit(20, 200),
      mark_read: MarkRead,
      timeout_seconds: TimeoutSeconds
    }),
    output: output({
      messages: Type.Array(InboxMessage),
      ...pageFields,
      timed_out: Type.Boolean({
        description:
          'true: nothing came before the time was up: call again. false without messages: the session is closed'
      })
    }),
    audit: ({ session_id }) => ({ event_type: 'inbox_read', session_id }),
    waits_ms: ({ timeout_seconds = TIMEOUT_DEFAULT }) => timeout_seconds * 1000,
    async handler({ mark_read = false, timeout_seconds = TIMEOUT_DEFAULT, ...given }, { db, agent, caller, receipt }) {
      refuseLongWait(caller, timeout_seconds, 'timeout_seconds')
      const { unread_only = false, unacked_only = true, limit = 20, session_id } = given
      const session = session_id === undefined ? undefined : await readSessionOrThrow(db, agent, session_id)
      // Nothing comes into a closed one.
      const closed = session?.is_active === false
      const ends_at = performance.now() + (closed ? 0 : timeout_seconds * 1000)
      for (;;) {
        const waited = await waitUntil(
          {
            agent,
            caller,
            async attempt() {
              const found = await readInbox(db, agent, { unread_only, unacked_only, limit, session_id })
              return found.count > 0 ? found : undefined
            },
            // Nothing was taken: it is marked only below.
            giveBack: async () => undefined,
            total_ms: Math.max(0, ends_at - performance.now()),
            session: session && { ...session, live }
          },
          waiting
        )
        if (typeof waited === 'string') return { ...NOTHING, timed_out: waited === 'time is up' && !closed }
        const answer = mark_read
          ? await markAnswerRead(database, agent, waited.got, { unread_only }, receipt)
          : waited.got
        if (answer.count > 0) return { ...answer, timed_out: false }
        // Another call of the agent has got all of it: this one goes on waiting.
        if (performance.now() >= ends_at) return { ...NOTHING, timed_out: !closed }
      }
    }
  })
