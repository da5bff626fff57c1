import { endingTool } from './ending-tool.js'

export const archiveSession = endingTool({
  name: 'archive_session',
  title: 'Put a session away',
  description:
    'Put a session away: it is closed, and left out of list_sessions and of a search_context without session_id. ' +
    'Whoever has its session_id can still read and search it, and list_sessions with archived: true lists it. ' +
    'For its creator and admins. To take it back, reopen it: update_session with is_active: true.',
  event_type: 'session_archived',
  change: ({ archived_at }) => (archived_at === null ? { archived: true } : undefined)
})
