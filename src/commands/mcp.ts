import { serveLocal } from '../mcp/stdio.js'
import { verb, type Verbs } from './command.js'
import { startService } from './start-service.js'

export const verbs: Verbs = {
  '': verb({
    summary: 'Serves MCP over standard input and output to the program that started it. Logs go to standard error.',
    listsVariables: true,
    run: mcp
  })
}

function mcp(): Promise<void> {
  return startService('join', async ({ app: { server }, context: { config, embedded }, logger, signals, closing }) => {
    await server.ready()
    const local = serveLocal(server, {
      agent_id: config.agent_id,
      agent_type: config.agent_type,
      output_schemas: config.mcp_output_schemas,
      toolsets: config.mcp_toolsets,
      stdin: process.stdin,
      stdout: process.stdout
    })
    const stop = signals.shutDownWith(logger, [
      {
        name: 'drain',
        limit_ms: config.shutdown_timeout_ms,
        run: async () => {
          await local.close()
          await server.close()
        }
      },
      ...closing
    ])
    // An MCP client stops a local server by closing its input.
    void local.ended.then(() => {
      stop('end of input')
    })
    void embedded?.lost.then(error => {
      logger.fatal(error.message)
      process.exit(1)
    })
  })
}
