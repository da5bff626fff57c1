import { Type } from '@sinclair/typebox'
import { mayEnter } from '../../kernel/agent.js'
import { Numeric } from '../../kernel/schema.js'
import { Message } from '../../kernel/answer-shapes.js'
import { AgentId, input, Limit, output, Seq, SessionId } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import * as sessions from '../../sessions/store/sessions.js'
import { mentionsOf } from '../../visibility/mentions.js'
import { readLongerNames } from '../../visibility/message-filter.js'
import { refuseLongWait, WAIT_MAX_MCP } from '../wait-until.js'
import { Task } from '../../tasks/task-shapes.js'
import { whatCame } from '../behind.js'
import { answerOf, type Told, wait, type WaitDeps } from '../wait.js'

/** Some clients give up after 5 s, and most MCP clients after 30. */
const TIMEOUT_DEFAULT = 4
const TIMEOUT_MAX = 60

/**
 * A caller that is at most so many changes behind the followers of a session is served with them. For one that is
 * farther behind, the database leaves out what the caller does not want.
 */
const NEAR = 5000
/** The shortest wait that is served so: a busy replica takes up to 0.5 s for it. */
const NEAR_SECONDS = 1

const ToldTask = Type.Pick(Task, [
  ...(['task_id', 'title', 'state', 'session_id', 'to', 'created_by'] as const),
  ...(['assignee', 'priority', 'attempts', 'updated_at'] as const)
])

export const waitForMessages = (deps: WaitDeps) =>
  defineTool({
    name: 'wait_for_messages',
    title: 'Wait for messages',
    description:
      'Wait for messages and changes of tasks after after_seq. Pass the last last_seq as after_seq, also after ' +
      'timed_out: true, and nothing is missed or got twice.',
    permission: 'read',
    effect: 'reads',
    commits: 'none',
    input: input({
      session_id: SessionId,
      after_seq: Type.Optional(Seq('As for get_messages; left out: from now on')),
      timeout_seconds: Type.Optional(
        Numeric({
          minimum: 0,
          maximum: TIMEOUT_MAX,
          default: TIMEOUT_DEFAULT,
          description: `Seconds, at most ${WAIT_MAX_MCP} over MCP`
        })
      ),
      limit: Limit(50, 1000),
      sender: Type.Optional(AgentId('Only of this agent')),
      mentions_only: Type.Optional(
        Type.Boolean({
          default: false,
          description: 'Only what mentions you by @'
        })
      )
    }),
    output: output({
      messages: Type.Array(Message),
      tasks: Type.Optional(
        Type.Array(ToldTask, {
          description:
            'Tasks of the session that have changed, as they are now; absent if none has, with sender, and with ' +
            'mentions_only. get_task has the rest'
        })
      ),
      count: Type.Integer({ description: 'Messages in this answer' }),
      last_seq: Type.Integer({ description: 'The next after_seq: the highest seq this answer has taken account of' }),
      timed_out: Type.Boolean({
        description:
          'true: nothing came before the time was up, or before the server stopped. ' +
          'Call again with last_seq as after_seq'
      }),
      has_more: Type.Boolean({
        description: 'Whether there are more than limit; they come with the next call, at once'
      }),
      is_active: Type.Boolean({
        description: 'false: the session is closed, and nobody can write in it unless it is reopened'
      })
    }),
    waits_ms: ({ timeout_seconds = TIMEOUT_DEFAULT }) => timeout_seconds * 1000,
    async handler(
      { session_id, after_seq, timeout_seconds = TIMEOUT_DEFAULT, limit = 50, sender, mentions_only = false },
      context
    ) {
      const { db, agent, caller } = context
      const again = 'call again with last_seq as after_seq when timed_out is true'
      refuseLongWait(caller, timeout_seconds, 'timeout_seconds', again)
      const started = performance.now()
      const isFiltered = sender !== undefined || mentions_only
      const mentions = mentions_only ? mentionsOf(agent.agent_id, await readLongerNames(db, agent)) : () => true
      const request = {
        session_id,
        limit,
        maxChanges: isFiltered ? undefined : limit + 1,
        wanted: (change: Told) =>
          change.type === 'message_added'
            ? (sender === undefined || change.message.sender === sender) && mentions(change.message.content)
            : !isFiltered,
        started,
        total_ms: timeout_seconds * 1000
      }
      // A caller that comes back near to where the others stand needs no query of its own. One message answers many
      // callers, and all of them come back at once.
      if (after_seq !== undefined && timeout_seconds >= NEAR_SECONDS && mayEnter(agent, session_id)) {
        const others = deps.live.position(agent.workspace, session_id)
        if (others?.is_active === true && after_seq <= others.cursor && after_seq >= others.cursor - NEAR)
          return wait({ ...request, cursor: after_seq, is_active: true }, context, deps)
      }
      const { last_seq, is_active } = await sessions.readSessionOrThrow(db, agent, session_id)
      // A cursor beyond the end, of a typing error or of another session, would wait past what comes next.
      let cursor = Math.min(after_seq ?? last_seq, last_seq)
      if (cursor < last_seq) {
        const found = await whatCame(db, agent, { session_id, after_seq: cursor, limit, sender, mentions_only })
        if (found.count > 0 || found.tasks !== undefined) return { ...found, timed_out: false, is_active }
        // Not found.last_seq: the session may have been closed between its reading and that.
        cursor = last_seq
      }
      // Nothing can come, unless the session is opened again.
      if (!is_active) return { ...answerOf([], limit, cursor), timed_out: false, is_active }
      return wait({ ...request, cursor, is_active }, context, deps)
    }
  })
