import pino from 'pino'
import { buildApp } from '../app.js'
import { ConfigError } from '../config/config.js'
import type { Database } from '../postgres/connect.js'
import { serveLocal } from '../mcp/stdio.js'
import { bringUp, connectForRequests, open } from './open.js'
import { expectSignals } from './stop.js'

export const USAGE = 'mcp takes no arguments; environment variables configure it.'

/** Serves MCP to the program that started this one, over stdin and stdout; what a person reads goes to stderr. */
export async function mcp(args: string[]): Promise<void> {
  if (args.length > 0) throw new ConfigError(USAGE)
  const tell = (line: string) => {
    process.stderr.write(`${line}\n`)
  }
  const signals = expectSignals()
  const opened = await open('join', tell)
  const { config, embedded, replica } = opened
  const logger = pino(
    { level: config.log_level, base: { replica }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination(2)
  )
  let database: Database | undefined
  try {
    if (config.migrate_on_start) await bringUp(opened, tell, signals)
    const connected = (database = connectForRequests(opened, logger))
    const { server } = await buildApp({ config, database, jwt_secrets: opened.jwt_secrets, replica, logger })
    await server.ready()
    const local = serveLocal(server, {
      agent_id: config.agent_id,
      agent_type: config.agent_type,
      output_schemas: config.mcp_output_schemas,
      stdin: process.stdin,
      stdout: process.stdout
    })
    const stop = signals.stopWith(logger, [
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
    // The client ends a local server by closing its input.
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
