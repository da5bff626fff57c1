import { type Static, Type } from '@sinclair/typebox'
import { Nullable, Time } from '../kernel/answer-shapes.js'

const Session = {
  session_messages: Type.Integer({ description: 'Messages, and later changes of them' }),
  session_bytes: Type.Integer({ description: 'Bytes ever written into sessions' })
}
const Memory = { memory_entries: Type.Integer(), memory_bytes: Type.Integer() }

/** How much a workspace holds, beside what quotas allow. */
export const WorkspaceSize = Type.Object({
  workspace: Type.String(),
  sessions: Type.Integer(),
  ...Session,
  largest_session: Type.Object(Session, { description: 'The most of one session' }),
  ...Memory,
  largest_memory: Type.Object(Memory, { description: 'The most of one agent or namespace' }),
  agents: Type.Integer({ description: 'Agents that have called' }),
  last_seen_at: Nullable(Time),
  api_keys: Type.Integer({ description: 'Keys that are valid' }),
  retention_days: Type.Integer({ description: 'Days that messages are kept; 0: for ever' })
})
export type WorkspaceSize = Static<typeof WorkspaceSize>
