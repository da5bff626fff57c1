import { type As, ok, type TestApp } from '../helper.js'

/** What is unread for an agent, by get_session and by list_sessions: both say the same. */
export async function unreadOf(app: TestApp, session_id: string, as: As): Promise<Record<string, unknown>> {
  const { session } = await ok(app, 'get_session', { session_id }, as)
  const { sessions } = await ok(app, 'list_sessions', { query: session_id }, as)
  if (
    JSON.stringify(sessions[0].unread) !== JSON.stringify(session.unread) ||
    sessions[0].last_read_seq !== session.last_read_seq
  )
    throw new Error('get_session and list_sessions disagree')
  return session.unread as Record<string, unknown>
}
