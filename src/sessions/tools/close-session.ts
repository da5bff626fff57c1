import { endingTool } from './ending-tool.js'

export const closeSession = endingTool({
  name: 'close_session',
  title: 'Close a session',
  description:
    'Close a session when its work is done: it can still be read and searched, not written. ' +
    'For its creator and admins. Closing it again changes nothing; ' +
    'update_session with is_active: true reopens it.',
  event_type: 'session_closed',
  change: ({ is_active }) => (is_active ? { is_active: false } : undefined)
})
