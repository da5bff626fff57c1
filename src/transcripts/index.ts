import fp from 'fastify-plugin'
import { exportSession } from './tools/export-session.js'
import { importSession } from './tools/import-session.js'

/** A session as a file: export and import. */
export const transcriptsPlugin = fp(
  async app => {
    app.addTool(exportSession)
    app.addTool(importSession(app.quotas, app.redact))
  },
  { name: 'transcripts', dependencies: ['kernel', 'limits', 'redaction', 'messages'] }
)
