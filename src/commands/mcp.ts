import pino from 'pino'
import { buildApp } from '../app.js'
import { ConfigError } from '../config/config.js'
import type { Database } from '../postgres/connect.js'
import { serveLocal } from '../mcp/stdio.js'
import { migrateDatabase, connectForRequests, openContext } from './open.js'
import { handleSignals } from './stop.js'

export const USAGE = 'mcp takes no arguments; environment variables configure it.'

/**
 * Serves MCP over stdin and stdout to the program that started this process. Logs and notices go to stderr.
 * @throws ConfigError if there are arguments or the configuration has errors
 */
export async function mcp(args: string[]): Promise<void> {
  if (args.length > 0) throw new ConfigError(USAGE)
  const log = (line: string) => {
    process.stderr.write(`${line}\n`)
  }
  const signals = handleSignals()
  const context = await openContext('join', log)
  const { config, embedded, replica } = context
  const logger = pino(
    { level: config.log_level, base: { replica }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination(2)
  )
  let database: Database | undefined
  try {
    if (config.migrate_on_start) await migrateDatabase(context, log, signals)
    const connected = (database = connectForRequests(context, logger))
    const { server } = await buildApp({ config, database, jwt_secrets: context.jwt_secrets, replica, logger })
    await server.ready()
    const local = serveLocal(server, {
      agent_id: config.agent_id,
      agent_type: config.agent_type,
      output_schemas: config.mcp_output_schemas,
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
      { name: 'close', limit_ms: 10_000, run: () => connected.close() },
      ...(embedded === undefined
        ? []
        : [{ name: 'leave the embedded PostgreSQL', limit_ms: 30_000, run: () => embedded.close() }])
    ])
    // An MCP client stops a local server by closing its input.
    void local.ended.then(() => {
      stop('end of input')
    })
    void embedded?.lost.then(error => {
      logger.fatal(error.message)
      process.exit(1)
    })
  } catch (error) {
    await database?.close()
    await embedded?.close()
    throw error
  }
}
