import fp from 'fastify-plugin'
import { archiveSession } from './tools/archive-session.js'
import { closeSession } from './tools/close-session.js'
import { createSession } from './tools/create-session.js'
import { getSession } from './tools/get-session.js'
import { listSessions } from './tools/list-sessions.js'
import { updateSession } from './tools/update-session.js'

/** Opening, describing, listing, closing and archiving sessions. */
export const sessionsPlugin = fp(
  async app => {
    app.addTool(createSession(app.quotas))
    app.addTool(getSession)
    app.addTool(listSessions)
    app.addTool(updateSession)
    app.addTool(closeSession)
    app.addTool(archiveSession)
  },
  { name: 'sessions', dependencies: ['kernel', 'postgres', 'limits'] }
)
