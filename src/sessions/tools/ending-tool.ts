import { sessionTopic } from '../../kernel/events.js'
import { Session } from '../../kernel/answer-shapes.js'
import { IdempotencyKey, input, output, SessionId } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { lockOwnSession } from '../session-owner.js'
import { patch, type SessionPatch, type SessionRow } from '../store/sessions.js'
import { sessionView } from './session-view.js'

interface Ending {
  name: string
  title: string
  description: string
  event_type: string
  /** What still has to be changed; undefined: nothing. */
  change: (session: SessionRow) => SessionPatch | undefined
}

/** A tool of a session's creator that ends work in the session. Its repetition changes nothing. */
export const endingTool = ({ name, title, description, event_type, change }: Ending) =>
  defineTool({
    name,
    title,
    description,
    permission: 'write',
    effect: 'replaces',
    repeatable: true,
    commits: 'transaction',
    input: input({ session_id: SessionId, idempotency_key: IdempotencyKey }),
    output: output({ session: Session }),
    audit: ({ session_id }) => ({ event_type, session_id, resource: `session:${session_id}` }),
    affectedTopics: ({ session_id }, _output, { agent }) => [sessionTopic(agent.workspace, session_id)],
    async handler({ session_id }, { db, agent }) {
      const changed = change(await lockOwnSession(db, agent, session_id))
      if (changed !== undefined) await patch(db, agent, session_id, changed)
      return { session: await sessionView(db, agent, session_id) }
    }
  })
